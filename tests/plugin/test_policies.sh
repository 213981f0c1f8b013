#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vgicsim policies, and --policy in all its forms. Speaks TAP.
# Usage: test_policies.sh VGICSIM PLUGIN-DIRECTORY RECORDINGS-DIRECTORY
set -u

tool=$(realpath "$1")
plugins=$(realpath "$2")
recordings=$3
. "$(dirname "$0")/../support/tap.sh"

lacks() {
	! grep -q -- "$3" "$dir/$2"
	result $? "$1"
}

# ---- the command ----
expect "the list" 0 policies
for policy in linux-6.12 posted-v1 linux-6.19 linux-7.0 linux-7.2 linux-7.3; do
	has "has $policy" out "^$policy "
done
has "with kernels" out '4\.7 to 6\.18'
expect "one policy" 0 policies linux-7.3
[ "$(grep -c '^[a-z0-9_]*=' "$dir/out")" -eq "$("$tool" policies posted-v1 | grep -c '^[a-z0-9_]*=')" ]
result $? "every switch of it"
has "a switch with its value" out '^replay=tail$'
has "and its commit" out '6da5e537f5af'
expect "an alias" 0 policies newest
has "is the policy" out '^linux-7.3: '
expect "a difference" 0 policies --diff linux-6.19 linux-7.0
[ "$(wc -l <"$dir/out")" -eq 4 ] && grep -q '^replay  *whole -> tail .*6da5e537f5af' "$dir/out" &&
	grep -q '^last_lr  *never -> always ' "$dir/out" && grep -q '^fold ' "$dir/out" &&
	grep -q '^bpr1_cbpr_bug  *0 -> 1 ' "$dir/out"
result $? "of four switches, with both values and the commit"
expect "a difference of one's own making" 0 policies --diff linux-7.3 linux-7.3+grp_mi=0
[ "$(wc -l <"$dir/out")" -eq 1 ] && grep -q '^grp_mi  *1 -> 0 .*a69e2d6f8934' "$dir/out"
result $? "is one line"
expect "no difference" 0 policies --diff newest linux-7.3
has "is said" out 'do the same'
expect "the list as JSON" 0 policies --json
python3 -c 'import json,sys; assert [p["name"] for p in json.load(open(sys.argv[1]))][0] == "linux-6.12"' "$dir/out"
result $? "is JSON"
expect "a policy as JSON" 0 policies --json linux-6.12
python3 -c 'import json,sys
s = {x["switch"]: x for x in json.load(open(sys.argv[1]))["switches"]}
assert s["replay"]["value"] == "none" and "whole_skip_lr" in s["replay"]["values"]
assert s["multi_sgi_barrier"]["value"] == "1" and s["grp_mi"]["rule"] == "OV-32"' "$dir/out"
result $? "has switches"
expect "a difference as JSON" 0 policies --json --diff linux-7.2 linux-7.3
python3 -c 'import json,sys
d = {x["switch"]: (x["a"], x["b"]) for x in json.load(open(sys.argv[1]))["differences"]}
assert d["flush_after_check"] == ("0", "1") and "replay" not in d' "$dir/out"
result $? "has both values"
expect "two without --diff" 2 policies linux-7.2 linux-7.3
expect "--diff with one" 2 policies --diff linux-7.2
expect "no such policy" 2 policies linux-9.9
one_line "names the known ones" 'linux-6.12'
expect "no such switch" 2 policies linux-7.3+replai=tail
one_line "names it" 'replai'
expect "no such value" 2 policies linux-7.3+replay=2
one_line "names it" 'replay=2'
expect "no value" 2 policies linux-7.3+replay
one_line "says what it wants" 'SWITCH=VALUE'
"$tool" policies >/dev/full 2>"$dir/err"
[ $? -eq 5 ]
result $? "a full disk"

# ---- policies from outside ----
expect "a policy from a file" 0 policies "$plugins/by_priority.so"
has "its name" out '^by-priority: '
has "its function" out '^compare()'
(cd "$plugins" && "$tool" policies by_priority.so+replay=whole >"$dir/out" 2>"$dir/err")
result $? "without a slash, with a switch"
has "carries the whole name" out '^by-priority+replay=whole: '
expect "no such file" 3 policies ./none.so
one_line "in one line" 'cannot load'
expect "no policy in it" 3 policies "$plugins/no_policy.so"
one_line "names the symbol" 'vgic_policy_plugin'
expect "no interface number in it" 3 policies "$plugins/no_abi.so"
one_line "names the symbol" 'vgic_policy_abi'
expect "another interface" 3 policies "$plugins/other_abi.so"
one_line "says both" '999'
expect "a value that no switch has" 3 policies "$plugins/bad_value.so"
one_line "names the switch" 'replay has no value 77'

# ---- in the commands that take --policy ----
file=$(find "$recordings" -path '*/7.2-ackall.vgr' -o -path '*/7.2.13-*/ackall.vgr' | sort | head -n 1)
if [ -n "$file" ]; then
	expect "verify against the plugin" 1 verify -n 1 -P "$plugins/by_priority.so" "$file"
	has "by its name" out 'policy by-priority$'
	expect "verify with a switch turned" 1 verify -n 1 -P linux-7.2+replay=none "$file"
	has "by its whole name" out 'policy linux-7.2+replay=none$'
	expect "replay with the plugin" 0 replay -l 4 --json -P "$plugins/by_priority.so" "$file"
	has "by its name" out '"policy": *"by-priority"'
	cp "$dir/out" "$dir/plugin"
	expect "replay with the newest" 0 replay -l 4 --json -P newest "$file"
	! cmp -s "$dir/out" "$dir/plugin"
	result $? "does something else"
	expect "replay with switches turned" 0 replay -l 4 -P auto+replay=whole+grp_mi=0 "$file"
	has "by the whole name" out 'policy linux-7.2+replay=whole+grp_mi=0,'
	expect "check against a plugin that does not load" 3 check --invariants -P ./none.so "$file"
	lacks "finds nothing" out violation
fi
scenario=$(dirname "$recordings")/scenarios/active-fills-lrs.vgs
expect "run with the plugin" 1 run -q -P "$plugins/by_priority.so" "$scenario"
has "by its name" out 'by-priority, 4 LRs'
expect "run with a switch that is none" 2 run -q -P newest+none=1 "$scenario"
one_line "names it" 'none=1'
echo "1..$n"
