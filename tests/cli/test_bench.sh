#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What 'vgicsim bench' says, not how fast it is. Usage: test_bench.sh VGICSIM RECORDING. Speaks TAP.
set -u

tool=$1
recording=$2
. "$(dirname "$0")/../support/tap.sh"

# number NAME: of the JSON in $dir/out, the first of that name.
number() {
	sed -n "s/^ *\"$1\": \([0-9][0-9.]*\),*\$/\1/p" "$dir/out" | head -n 1
}

is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: '$2', not '$3'"; fi
}

less() {
	if [ "$2" -lt "$3" ]; then ok "$1"; else not_ok "$1: $2 is no less than $3"; fi
}

expect "list" 0 bench --list
for name in inflate decode check verify recompute trigger derive replay steady burst overflow many level mixed; do
	has "list: $name" out "^$name "
done
expect "all cases" 0 bench -n 2000 --passes 1 "$recording"
is "all cases: a line each, and a comparison" "$(wc -l <"$dir/out")" 17
has "decoding against Zstandard" out "% of what Zstandard alone does"

# A pair and a record are what check counts.
expect "check" 0 check --json "$recording"
records=$(number records)
pairs=$(number pairs)
for name in inflate decode check trigger; do
	expect "$name: twice over" 0 bench --case $name --passes 2 --json "$recording"
	is "$name: all records, twice" "$(number items)" $((2 * records))
done
for name in verify recompute derive; do
	expect "$name: twice over" 0 bench --case $name --passes 2 --json "$recording"
	is "$name: all pairs, twice" "$(number items)" $((2 * pairs))
done
expect "replay" 0 bench -c replay --passes 1 --json "$recording"
has "replay: of its demand" out '"item": "interrupt"'
has "replay: with so many LRs" out '"lrs": 4'
once=$(number items)
expect "sweep" 0 bench -c sweep --passes 1 --json "$recording"
less "sweep: far more than with one LR count" $((8 * once)) "$(number items)"
for name in steady many level; do
	expect "$name" 0 bench -c $name -n 3000 --passes 1 --json
	is "$name: all of them" "$(number items)" 3000
done
has "the machine is named" out '"cpu": "'
has "and the compiler" out '"compiler": "'
has "and the commit" out '"commit": "'

expect "threads" 0 bench -c steady -n 1000 --passes 1 -T 3 --json
is "threads: 1, 2 and 3" "$(grep -c '"threads"' "$dir/out")" 3
has "threads: how they scale" out '"cpu_efficiency": [0-9]'
expect "for a time" 0 bench -c burst -n 100 -d 50ms --json
less "for a time: no less" 49999999 "$(number wall_ns)"
expect "into a file" 0 bench -c steady -n 100 --passes 1 -o "$dir/a.json"
has "into a file: JSON" a.json '"format": "vgicsim-bench-1"'
has "into a file: and the table" out '^steady '

# Ten times as long, the same memory.
expect "short" 0 bench -c steady -n 20000 --passes 1 --json
short=$(number peak_rss_bytes)
expect "long" 0 bench -c steady -n 400000 --passes 1 --json
less "memory does not grow with the length" "$(number peak_rss_bytes)" $((short + 2000000))

expect "no such case" 2 bench -c fast
one_line "no such case: one line" "no such case"
expect "a case without its recording" 2 bench -c steady -c verify
one_line "a case without its recording: one line" "no recording named"
expect "no recording, for Zstandard" 3 bench -c inflate "$dir/absent"
one_line "no recording, for Zstandard: one line" "cannot be opened"
expect "no recording" 3 bench -c decode "$0"
one_line "no recording: one line" "not a vgicsim recording"
expect "a live-lock" 3 bench -c overflow -n 1000 --passes 1 -l 1
one_line "a live-lock: one line" "another number of them"
expect "unknown policy" 2 bench -c steady -n 100 -P linux-2.4
expect "no room for it" 5 bench -c steady -n 100 --passes 1 -o "$dir/no/a.json"
one_line "no room for it: one line" "cannot write"

echo "1..$n"
