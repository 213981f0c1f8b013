#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vgicsim verify on the command line, and over every shipped recording: no mismatch, at most
# 0.5 % undecided. Usage: test_verify.sh VGICSIM RECORDINGS-DIRECTORY. Speaks TAP.
set -u

tool=$1
recordings=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

result() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		head -n 40 "$dir/out" "$dir/err" | sed 's/^/# /'
	fi
}

# expect NAME STATUS ARGUMENTS...
expect() {
	name=$1 want=$2
	shift 2
	"$tool" verify "$@" >"$dir/out" 2>"$dir/err" </dev/null
	[ $? -eq "$want" ]
	result $? "$name"
}

# has NAME FILE PATTERN
has() {
	grep -q -- "$3" "$dir/$2"
	result $? "$1"
}

expect "no file is a usage error" 2
expect "an absent file" 3 "$dir/absent.vgr"
echo "not a recording" >"$dir/text"
expect "a file that is no recording" 3 "$dir/text"

first=
for file in "$recordings"/*.vgr; do
	[ -e "$file" ] || break
	first=${first:-$file}
	name=$(basename "$file" .vgr)
	"$tool" verify --json "$file" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	# The share is asked for in whole numbers: undecided * 200 <= flushes + syncs.
	share=$(awk -F'[:,]' '/"flushes"/ { f = $2 } /"syncs"/ { s = $2 }
		/"undecided_records"/ { u = $2 } END { print (u * 200 <= f + s && f > 0) }' "$dir/out")
	[ "$status" -eq 0 ] && [ "$share" = 1 ]
	result $? "$name: $(awk -F'[:,]' '/"pairs"/ { print $2 }' "$dir/out") pairs"
done

new=$(find "$recordings" -name '7*-burst.vgr' | head -n 1)
if [ -n "$new" ]; then
	expect "an unknown policy" 2 -P linux-9.9 "$new"
	has "names the known ones" err 'linux-6.12'
	expect "another kernel's policy is found out" 1 -P linux-6.12 -n 3 "$new"
	has "names rule and values" out 'kernel .* model '
	has "says that there are more" out 'more mismatches'
	expect "quietly" 1 -q -P linux-6.12 "$new"
	[ ! -s "$dir/out" ]
	result $? "prints nothing"
	expect "as JSON" 1 --json -n 1 -P linux-6.12 "$new"
	has "lists the mismatch" out '"rule": "HI-'
	head -c 20000 "$new" >"$dir/cut.vgr"
	expect "a cut file is read as far as it goes" 0 "$dir/cut.vgr"
	has "and says so" err 'end of the file is missing'
	"$tool" verify "$new" >/dev/full 2>"$dir/err"
	[ $? -eq 5 ]
	result $? "a full disk"
fi
if [ -z "$first" ]; then
	n=$((n + 1))
	echo "ok $n - shipped recordings # SKIP none in $recordings"
fi
echo "1..$n"
