#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vgicsim calibrate, and its profiles in a replay. Usage: test_calibrate.sh VGICSIM
# WORKLOADS-DIRECTORY SMALL.vgr GICV2.vgr (as tests/support/make_recording writes them).
# Speaks TAP.
set -u

tool=$1
workloads=$2
small=$3
gicv2=$4
recordings=$workloads/recordings
profiles=$workloads/profiles
. "$(dirname "$0")/../support/tap.sh"

expect "no recording is a usage error" 2 calibrate
expect "an absent recording" 3 calibrate "$dir/absent.vgr"
expect "help" 0 calibrate --help

burst=$recordings/7.2-burst.vgr
expect "one recording" 0 calibrate -o "$dir/burst.ini" "$burst"
has "prints the terms" out '^entry_irq .* for each interrupt on the list'
has "prints the residuals" out '^exit  *[0-9]* .* %$'
grep -q 'too little data: dir: 0 samples: record' "$dir/err"
result $? "warns where there is no sample"
cp "$dir/burst.ini" "$dir/first.ini"
expect "again, quietly" 0 calibrate -q -o "$dir/burst.ini" "$burst"
[ ! -s "$dir/out" ] && cmp -s "$dir/burst.ini" "$dir/first.ini"
result $? "the same recording gives the same bytes"
expect "to standard output" 0 calibrate -o - "$burst"
cmp -s "$dir/out" "$dir/first.ini"
result $? "is the file alone"
expect "as JSON" 0 calibrate --json "$burst"
has "terms" out '"entry_irq_ps": [1-9]'
has "residuals" out '"explained_ppm": [1-9]'
has "recordings with their hash" out '"hash": "[0-9a-f]\{16\}"'
expect "an LR count of its own" 0 calibrate -q --lrs 2 -o "$dir/two.ini" "$burst"
grep -q '^lrs = 2$' "$dir/two.ini" && grep -q '^command = vgicsim calibrate --lrs 2 R' "$dir/two.ini"
result $? "stands in the profile, with the command"
expect "a profile that cannot be written" 5 calibrate -q -o "$dir/absent/x.ini" "$burst"

expect "too short a recording" 0 calibrate -q "$small"
has "says so" err 'too little data'
expect "two machines" 3 calibrate "$burst" "$gicv2"
has "names the other one" err "another machine .*$(basename "$gicv2"): calibrate each"
expect "two kernels" 0 calibrate -q "$burst" "$recordings/6.12-burst.vgr"
has "is a warning" err 'different kernels: 7.2.* and 6.12'

# In a replay.
expect "a replay with a profile" 0 replay --profile "$dir/two.ini" "$burst"
has "has the profile's LR count" out '^2  *completed'
[ "$(grep -c ' completed ' "$dir/out")" -eq 2 ]
result $? "and no other"
has "names the profile" out 'profile .*two.ini'
expect "with other LR counts" 0 replay --profile "$dir/two.ini" -l 3-4 "$burst"
has "they count" out '^4  *completed'
expect "the recording's own profile" 0 replay -j -l 4 --profile "$dir/burst.ini" "$burst"
has "is named in the result" out '"file":.*burst.ini'
has "with its hash" out '"hash":"[0-9a-f]\{16\}"'
sed 's/.*"cells"//' "$dir/out" >"$dir/with"
expect "without it" 0 replay -j -l 4 "$burst"
has "the result says that it has none" out '"profile":{.*"file":null'
sed 's/.*"cells"//' "$dir/out" >"$dir/without"
cmp -s "$dir/with" "$dir/without"
result $? "a recording's own profile changes nothing"
sed 's/^mi_out = .*/mi_out = 900000/' "$dir/burst.ini" >"$dir/slow.ini"
expect "a slower host" 0 replay -j -l 4 --profile "$dir/slow.ini" "$burst"
sed 's/.*"cells"//' "$dir/out" | cmp -s - "$dir/without"
[ $? -eq 1 ]
result $? "has other numbers"

expect "an absent profile" 3 replay --profile "$dir/absent.ini" "$burst"
one_line "is one line" 'cannot read the profile: .*absent.ini: No such file'
expect "a folder for a profile" 3 replay --profile "$dir" "$burst"
sed 's/^kick = .*/kick = soon/' "$dir/burst.ini" >"$dir/bad.ini"
expect "a bad number" 3 replay --profile "$dir/bad.ini" "$burst"
one_line "names file and line" "bad.ini:$(grep -n '^kick' "$dir/bad.ini" | cut -d: -f1): bad kick: 'soon': "
sed '/^kick = /d' "$dir/burst.ini" >"$dir/bad.ini"
expect "a missing key" 3 replay --profile "$dir/bad.ini" "$burst"
one_line "is named" 'bad.ini: no kick in \[cost\]: add it'
expect "a recording for a profile" 3 replay --profile "$burst" "$burst"
expect "another GIC" 3 replay --profile "$dir/burst.ini" "$gicv2"
one_line "says so" 'profile of a GICv3, recording of a GICv2'

# The shipped ones.
"$profiles/make" "$tool" "$dir" >"$dir/out" 2>"$dir/err"
result $? "the shipped profiles are made"
for profile in "$profiles"/*.ini; do
	cmp "$profile" "$dir/$(basename "$profile")" >"$dir/out" 2>&1
	result $? "$(basename "$profile") is what calibrate gives"
done

echo "1..$n"
