#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Demands that are made. Usage: test_gen.sh VGICSIM. Speaks TAP.
set -u

tool=$1
. "$(dirname "$0")/../support/tap.sh"

same() {
	if cmp -s "$2" "$3"; then ok "$1"; else not_ok "$1"; fi
}

differ() {
	if cmp -s "$2" "$3"; then not_ok "$1"; else ok "$1"; fi
}

for kind in steady burst overflow many level mixed; do
	w=$dir/$kind.vgw
	expect "$kind: made" 0 gen --kind $kind -n 3000 -o "$w"
	has "$kind: says so" out "kind        $kind, seed 1"
	expect "$kind: made again" 0 gen --kind $kind -n 3000 -q -o "$dir/again.vgw"
	same "$kind: the same bytes" "$w" "$dir/again.vgw"
	expect "$kind: with another seed" 0 gen --kind $kind -n 3000 -q -s 2 -o "$dir/other.vgw"
	differ "$kind: other bytes" "$w" "$dir/other.vgw"
	expect "$kind: nothing is wrong with it" 0 check "$w"
	expect "$kind: replayed" 0 replay --lrs 4 -o "$dir/$kind.json" -q "$w"
	has "$kind: to its end" "$kind.json" '"outcome": *"completed"'
done

expect "info of a made one" 0 info "$dir/many.vgw"
has "where it came from" out "vgicsim gen --kind many -n 3000 --vcpus 16 --in-flight 4 --rate 100000 --handler 4000ns -s 1"
has "what is in it" out "64: 16 SGIs, 0 PPIs, 48 SPIs, 0 LPIs; 0 never acknowledged"
# Its own description makes it again.
for kind in many overflow; do
	expect "info of $kind" 0 info "$dir/$kind.vgw"
	command=$(sed -n 's/^  guest  *vgicsim //p' "$dir/out")
	# shellcheck disable=SC2086
	expect "$kind: made from its description" 0 $command -q -o "$dir/again.vgw"
	same "$kind: is the same" "$dir/$kind.vgw" "$dir/again.vgw"
done

expect "as JSON" 0 gen --kind level -n 100 --vcpus 2 -j -o "$dir/a.vgw"
has "JSON: how many" out '"interrupts": 100'
has "JSON: defaults are there" out '"in_flight": 4'
has "JSON: how long" out '"duration_ns"'
expect "a seed that JSON cannot hold" 0 gen -n 10 -s 18446744073709551615 -j -o "$dir/a.vgw"
has "is a string" out '"seed": "18446744073709551615"'
expect "all options" 0 gen -n 50 --vcpus 3 --in-flight 2 --rate 1000 --handler 20us -o "$dir/a.vgw"
has "distance and handler" out "every 1.00 ms a vCPU, handled for 20.00 us"

expect "no output" 2 gen
one_line "no output: one line" "no output named"
expect "standard output" 2 gen -o -
one_line "standard output: one line" "name a file"
: >"$dir/out"
{ "$tool" gen -n 100 -q -o /dev/stdout 2>"$dir/err"; echo $? >"$dir/status"; } | cat >/dev/null
if [ "$(cat "$dir/status")" = 5 ]; then ok "a pipe"; else not_ok "a pipe"; fi
one_line "a pipe: one line" "not a pipe"
expect "a folder that is not there" 5 gen -o "$dir/no/a.vgw"
one_line "a folder that is not there: one line" "cannot write"
expect "unknown kind" 2 gen --kind flat -o "$dir/b.vgw"
expect "no interrupts" 2 gen -n 0 -o "$dir/b.vgw"
expect "too many for a file" 2 gen -n 5000000000 -o "$dir/b.vgw"
one_line "too many for a file: one line" "too many interrupts for a file"
expect "too long" 2 gen -n 1000000000000 --rate 1 -o "$dir/b.vgw"
one_line "too long: one line" "longer than a workload can be"
expect "a rate of overflow" 2 gen --kind overflow --rate 1000 -o "$dir/b.vgw"
one_line "a rate of overflow: one line" "no rate to choose"
expect "too many lines" 2 gen --kind level --vcpus 16 --in-flight 64 -o "$dir/b.vgw"
one_line "too many lines: one line" "988 SPIs"
expect "too many in flight" 2 gen --vcpus 512 --in-flight 256 -o "$dir/b.vgw"
one_line "too many in flight: one line" "65536 together"
if [ -e "$dir/b.vgw" ]; then not_ok "nothing is left behind"; else ok "nothing is left behind"; fi
# What it takes of memory does not grow with the length. Sanitizers reserve more than that.
if ! (ulimit -v 100000 && "$tool" --version) >"$dir/out" 2>"$dir/err"; then
	ok "a long one in little memory # SKIP the tool itself needs more"
elif (ulimit -v 100000 && "$tool" gen -n 1500000 -q -o "$dir/long.vgw") >"$dir/out" 2>"$dir/err"; then
	ok "a long one in little memory"
else
	not_ok "a long one in little memory"
fi

echo "1..$n"
