#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vgicsim verify on the command line. Usage: test_verify.sh VGICSIM RECORDINGS-DIRECTORY
# SMALL.vgr (as tests/support/make_recording writes it). Speaks TAP.
set -u

tool=$1
recordings=$2
small=$3
sub=verify
. "$(dirname "$0")/../support/tap.sh"

expect "no file is a usage error" 2
expect "an absent file" 3 "$dir/absent.vgr"
echo "not a recording" >"$dir/text"
expect "a file that is no recording" 3 "$dir/text"

# The recordings themselves are judged by tests/golden/recordings.
first=$(find "$recordings" -name '*.vgr' | sort | head -n 1)
head -c 5000 "$first" >"$dir/cut.vgr"
expect "a cut recording without a whole flush is no success" 3 "$dir/cut.vgr"
has "says that there was nothing" err 'nothing to verify'

new=$(find "$recordings" -name '7*-burst.vgr' | head -n 1)
if [ -n "$new" ]; then
	expect "an unknown policy" 2 -P linux-9.9 "$new"
	has "names the known ones" err 'linux-6.12'
	expect "another kernel's policy is found out" 1 -P linux-6.12 -n 3 "$new"
	has "names rule and values" out 'kernel .* model '
	has "says that there are more" out 'more mismatches'
	has "names the switch" out 'no_empty_shortcut=1 would agree (.*dd598fc1139f'
	expect "quietly" 1 -q -P linux-6.12 "$new"
	[ ! -s "$dir/out" ]
	result $? "prints nothing"
	expect "as JSON" 1 --json -n 1 -P linux-6.12 "$new"
	has "lists the mismatch" out '"rule": "HI-'
	has "with the switch" out '"switch": "no_empty_shortcut=1 would agree'
	head -c 2000000 "$recordings"/7*-mixed.vgr >"$dir/cut.vgr"
	expect "a cut file is read as far as it goes" 0 "$dir/cut.vgr"
	has "and says so" err 'end of the file is missing'
	"$tool" verify "$new" >/dev/full 2>"$dir/err"
	[ $? -eq 5 ]
	result $? "a full disk"
fi

expect "auto where two fit" 0 "$small"
has "names both" out 'linux-7.2 and linux-7.3 fit: this recording does not tell them apart'
has "takes that of the release" out 'policy linux-7.3$'

# What the recording alone says: its policy is found, and the wrong neighbour is told from it.
# neighbour NAME FILE POLICY SWITCH
neighbour() {
	expect "$1: the neighbour" 1 -n 1 -P "$3" "$2"
	has "$1: the switch of the first mismatch" out "$4.* would agree (.*)"
}
old=$(find "$recordings" -path '*/6.12*burst.vgr' | sort | head -n 1)
middle=$(find "$recordings" -path '*/7.2-burst-split.vgr' -o -path '*/7.2.13-*/burst-split.vgr' | sort | head -n 1)
if [ -n "$old" ] && [ -n "$middle" ]; then
	expect "auto on 6.12" 0 --json "$old"
	grep -A2 '"fits": \[' "$dir/out" | tr -d ' \n' | grep -q '"fits":\["linux-6.12"\]'
	result $? "finds one policy"
	expect "auto on 7.2" 0 --json "$middle"
	grep -A2 '"fits": \[' "$dir/out" | tr -d ' \n' | grep -q '"fits":\["linux-7.2"\]'
	result $? "finds one policy"
	neighbour "6.12 by 6.19" "$old" linux-6.19 no_empty_shortcut=0
	neighbour "7.2 by 7.0" "$middle" linux-7.0 fold=always
	neighbour "7.2 by 7.3" "$middle" linux-7.3 flush_after_check=0
	neighbour "7.2 by 6.19" "$middle" linux-6.19 last_lr=
fi
for file in "$recordings"/*-gic*/regroup.vgr "$recordings"/*-gic*/burst-split.vgr; do
	[ -e "$file" ] || continue
	kernel=$(basename "$(dirname "$file")")
	case $kernel in
	6.12.*) is=linux-6.12 other='linux-6.19' ;;
	6.19.[0-8]-*) is=linux-6.19 other='linux-6.12 linux-7.0' ;;
	6.19.* | 7.[01].* | 7.2.[0-9]-*) is=linux-7.0 other='linux-6.19 linux-7.2' ;;
	7.2.*) is=linux-7.2 other='linux-7.0' ;;
	*) is=linux-7.3 other='linux-7.2' ;;
	esac
	expect "$kernel: auto" 0 "$file"
	has "$kernel: is $is" out "policy $is\$"
	for policy in $other; do
		neighbour "$kernel by $policy" "$file" "$policy" =
	done
done
if [ -z "$first" ]; then
	n=$((n + 1))
	echo "ok $n - shipped recordings # SKIP none in $recordings"
fi
echo "1..$n"
