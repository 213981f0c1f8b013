#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A recording made longer is still one, and takes no more memory to read.
# Usage: test_lengthen.sh LENGTHEN VGICSIM RECORDINGS-FOLDER MIB. Speaks TAP.
set -u

lengthen=$1
tool=$2
short=$3/7.2-sgi.vgr
mixed=$3/7.2-mixed.vgr
limit=$4
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
long=$dir/long.vgr
n=0

ok() {
	n=$((n + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' "$dir/out"
	fi
}

# number NAME FILE: of JSON.
number() {
	sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" "$2" | head -n 1
}

"$lengthen" 30 "$short" "$long" >"$dir/out" 2>&1
ok "made" $?
"$tool" check "$long" >"$dir/out" 2>&1
ok "nothing is wrong with it" $?
"$tool" verify --json "$long" >"$dir/out" 2>&1
ok "no mismatch in it" $?
"$tool" verify --json "$short" >"$dir/one" 2>&1
[ "$(number pairs "$dir/out")" -eq $((30 * $(number pairs "$dir/one"))) ]
ok "thirty times the pairs" $?
[ "$(number undecided_records "$dir/out")" -eq $((30 * $(number undecided_records "$dir/one"))) ]
ok "as much of them decided" $?
for name in decode check verify; do
	"$tool" bench --case $name --passes 1 --json "$short" >"$dir/one" 2>&1
	"$tool" bench --case $name --passes 1 --json "$long" >"$dir/out" 2>&1
	[ "$(number peak_rss_bytes "$dir/out")" -lt $((limit << 20)) ]
	ok "$name: memory stays below $limit MiB, $(($(number peak_rss_bytes "$dir/out") >> 10)) KiB" $?
done
"$lengthen" --again 3 "$mixed" "$long" >"$dir/out" 2>&1
ok "a demand made longer" $?
for name in derive replay; do
	"$tool" bench --case $name --passes 1 --json "$long" >"$dir/out" 2>&1
	[ "$(number peak_rss_bytes "$dir/out")" -lt $((limit << 20)) ]
	ok "$name: memory stays below $limit MiB, $(($(number peak_rss_bytes "$dir/out") >> 10)) KiB" $?
done
# The results of all LR counts are kept until the last one is there.
python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[2:], check=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"{peak} KiB")
sys.exit(peak >= int(sys.argv[1]) << 10)' "$limit" "$tool" replay -q -o "$dir/one" "$mixed" >"$dir/out" 2>&1
ok "replay with 1 to 16 list registers: memory stays below $limit MiB, $(tail -n 1 "$dir/out")" $?
"$tool" derive -o "$dir/long.vgw" "$long" >"$dir/out" 2>&1
ok "derived into a file" $?
"$tool" derive -o - "$long" 2>"$dir/out" | cmp - "$dir/long.vgw" >>"$dir/out" 2>&1
ok "and into a pipe" $?
"$tool" replay --json -l 2 "$long" >"$dir/one" 2>"$dir/out" &&
	"$tool" replay --json -l 2 "$dir/long.vgw" >"$dir/two" 2>>"$dir/out"
ok "replayed from either" $?
# What names the input is another one.
for i in one two; do
	sed 's/.*"cells":/"cells":/' "$dir/$i" >"$dir/$i.cells"
done
[ -s "$dir/one.cells" ] && cmp "$dir/one.cells" "$dir/two.cells" >"$dir/out" 2>&1
ok "with the same numbers" $?
echo "1..$n"
