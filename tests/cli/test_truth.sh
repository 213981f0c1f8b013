#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vgicsim truth on the command line. Usage: test_truth.sh VGICSIM RECORDINGS-WITH-LOGS. Speaks TAP.
set -u

tool=$1
recordings=$2
sub=truth
. "$(dirname "$0")/../support/tap.sh"

# refused NAME PATTERN: with status 3 and one line; the log is $dir/bad.csv.
refused() {
	expect "$1" 3 "$run" "$dir/bad.csv"
	[ "$(wc -l <"$dir/err")" -eq 1 ] && grep -q -- "$2" "$dir/err"
	result $? "$1: says so in one line"
}

run=$recordings/burst-7.3.vgr
log=$dir/burst.csv
gzip -dc "$recordings/burst-7.3.csv.gz" >"$log" || exit 1
first=$(grep -n '^[0-9]' "$log" | head -n 1 | cut -d: -f1)

expect "no operand" 2
expect "no log" 2 "$run"
expect "an absent recording" 3 "$dir/absent.vgr" "$log"
expect "an absent log" 3 "$run" "$dir/absent.csv"
expect "a percentage above 100" 2 --min 101 "$run" "$log"
expect "more misses than are kept" 2 -n 1000 "$run" "$log"

expect "a log that agrees" 0 "$run" "$log"
has "says how many" out '^160 instances, 160 inside their bounds (100.00 %), 0 only in the log, 0 only in the'
has "has a line for each kind" out '^deactivate  *160  *[1-9][0-9]*  *0  *0 '
expect "JSON" 0 --json "$run" "$log"
has "JSON: instances" out '"instances": 160'
has "JSON: widths" out '"width"'
cp "$dir/out" "$dir/json"
expect "JSON again" 0 --json "$run" "$log"
cmp -s "$dir/out" "$dir/json"
result $? "the same twice"
expect "quietly" 0 -q "$run" "$log"
[ ! -s "$dir/out" ]
result $? "prints nothing"

# One instance of 160 a second late in its drop: 99.375 % are inside.
awk -F, -v OFS=, -v at="$first" 'NR == at { $8 = sprintf("%.0f", $8 + 1e9); $9 = sprintf("%.0f", $9 + 1e9) } { print }' \
	"$log" >"$dir/late.csv"
expect "one in 160 is below one percent" 0 "$run" "$dir/late.csv"
has "it is named" out '^vCPU 0 INTID 32 number 1, drop: log [0-9]* [0-9]*, bounds [0-9]* [0-9]*$'
expect "one in 160 is too many for --min 100" 1 --min 100 "$run" "$dir/late.csv"
expect "none is printed" 1 --min 100 -n 0 "$run" "$dir/late.csv"
! grep -q '^vCPU' "$dir/out"
result $? "none is"
sed "${first}d" "$log" >"$dir/short.csv"
expect "an instance that the log has not" 1 --min 100 "$run" "$dir/short.csv"
has "is counted" out ' 0 only in the log, 1 only in the derivation$'
sed 's/^# lost 0/# lost 5/' "$dir/short.csv" | sed '$d' >"$dir/full.csv"
expect "a full log" 1 --min 100 "$run" "$dir/full.csv"
has "says that it was full" out '^the log was full: 5 interrupts'
# The first is missing in the middle, the last at the end, which is not held against it.
has "its end is not judged" out ' 0 only in the log, 1 only in the derivation$'

head -n 5 "$log" >"$dir/bad.csv"
refused "no column names" 'not the log of a guest'
head -n 6 "$log" >"$dir/empty.csv"
expect "a log without interrupts" 1 "$run" "$dir/empty.csv"
has "all are only in the derivation" out ' 160 only in the derivation$'
grep -v '^# error_ns' "$log" >"$dir/bad.csv"
refused "no error" 'not the log of a guest'
cp "$run" "$dir/bad.csv"
refused "a recording for a log" 'bad.csv'
for change in 's/^0,/x,/' 's/^0,/70000,/' 's/^0,/-1,/' 's/^0,/,/' 's/,0$//' 's/$/,1/' \
	's/^0,[0-9]*,/0,99999999999,/' 's/,\([0-9]*\),\([0-9]*\),0$/,\2,1,0/' 's/^0,/0 ,/'; do
	sed "${first}$change" "$log" >"$dir/bad.csv"
	refused "a line changed by $change" "bad.csv, line $first"
done
sed 's/^# error_ns .*/# error_ns many/' "$log" >"$dir/bad.csv"
refused "an error that is no number" 'bad.csv, line'
echo "1..$n"
