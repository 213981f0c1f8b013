#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vgicsim validate: predictions against real runs with 2, 4 and 8 list registers. Speaks TAP.
# Usage: test_validate.sh VGICSIM RECORDINGS
set -u

tool=$1
rec=$2
. "$(dirname "$0")/../support/tap.sh"

all=$(find "$rec"/lrs/*-lrs[248] -name '*.vgr' | sort)
# What real kernels did with each of the counts, foretold from each other one.
# shellcheck disable=SC2086
expect "every number is as near as it must be" 0 validate --from 2,4,8 --across --threads 2 -o "$dir/all.json" $all
has "counts are judged" out '^\* exits, MIs, DIR traps, EOIcount, mean error: .*: met$'
has "orders are judged" out '^Order of LR counts by MIs per interrupt: [0-9]* of [0-9]* pairs right'
if grep -q 'NOT met' "$dir/out"; then not_ok "all limits are met"; else ok "all limits are met"; fi
# shellcheck disable=SC2086
expect "a limit that cannot be met is a finding" 1 validate -q --from 2,4,8 --mean-count 0.001 $all
# shellcheck disable=SC2086
expect "on one thread" 0 validate --from 2,4,8 --across --threads 1 -q -o "$dir/one.json" $all
if cmp -s "$dir/all.json" "$dir/one.json"; then ok "the result does not depend on the threads"; else not_ok "the result does not depend on the threads"; fi

# Recorded on 7.3 where nothing starves, foretold for 6.12 where it does: the same interrupts.
old=$rec/lrs/6.12.95-lrs4/ackall.vgr new=$rec/lrs/7.3.4-lrs4/ackall.vgr
expect "what starves on another kernel" 0 validate --across --json "$old" "$new"
has "the real kernel starved it" out '"real":"starved"'
has "and so it was foretold" out '"predicted":"starved","agreement":"agrees"'
# One LR fewer than there are interrupts active at once, and the other set starves.
expect "with other LRs" 0 validate --from 4 --across --json "$rec/lrs/6.12.95-lrs8/ackall.vgr" "$new"
has "twelve of sixteen are others than eight" out '"predicted":"starved","agreement":"agrees"'

# From 16 LRs, where nothing shows when a priority was dropped, and a timer that its guest waits for.
for kernel in 6.12.95 7.3.4; do
	expect "registers of $kernel from 16 to 6 list registers" 0 validate --from 16 --json --max-count 5 --mean-latency 20 \
		"$rec/lrs/$kernel-lrs16/registers.vgr" "$rec/lrs/$kernel-lrs6/registers.vgr"
	has "registers of $kernel ends as foretold" out '"agreement":"agrees"'
done
expect "registers of 7.3 foretold for 6.12" 0 validate --from 16 --across --json \
	"$rec/lrs/7.3.4-lrs16/registers.vgr" "$rec/lrs/6.12.95-lrs6/registers.vgr"
has "the same of it starve" out '"predicted":"starved","agreement":"agrees"'
expect "DIRs that are left for later" 0 validate --from 16 --json "$rec/lrs/6.12.95-lrs16/ackall.vgr" "$rec/lrs/6.12.95-lrs8/ackall.vgr"
has "eight of sixteen starve" out '"predicted":"starved","agreement":"agrees"'

expect "the figure and the page" 0 plot -o "$dir/report" "$dir/all.json"
for file in report.html correlation.svg correlation.png data/correlation.dat; do
	if [ -s "$dir/report/$file" ]; then ok "plot writes $file"; else not_ok "plot writes $file"; fi
done
expect "plot --json has nothing to add" 2 plot --json -o "$dir/report" "$dir/all.json"
printf '{"format": "vgicsim-validation", "version": 2}\n' >"$dir/new.json"
expect "a version from the future is refused" 3 plot -o "$dir/report" "$dir/new.json"
one_line "a version from the future"
printf '{"format": "vgicsim-validation", "version": 1, "predictions": [{"numbers": 3}]}\n' >"$dir/odd.json"
expect "a validation without numbers is refused" 3 plot -o "$dir/report" "$dir/odd.json"
one_line "a validation without numbers"

expect "a list that is none" 2 validate --from 4,,2 "$old" "$new"
one_line "a list that is none"
expect "17 list registers" 2 validate --from 17 "$old" "$new"
expect "one recording alone" 2 validate "$new"
expect "nothing to compare" 3 validate "$old" "$new"
one_line "nothing to compare"
expect "no recording" 3 validate "$new" "$0"
one_line "no recording"
echo "1..$n"
