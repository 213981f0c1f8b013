#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vgicsim compare: what it prints, and what its exit status says. Speaks TAP.
# Usage: test_compare.sh VGICSIM RECORDINGS
set -u

tool=$1
rec=$2
sub=compare
. "$(dirname "$0")/../support/tap.sh"

expect "a pair agrees" 0 "$rec/6.12-ackall.vgr" "$rec/7.2-ackall.vgr"
has "the columns" out 'A recorded  *B recorded  *A.s demand  *B.s demand'
has "each kernel's policy, crossed" out '^vgic  *linux-6.12  *linux-7.2  *linux-7.2  *linux-6.12'
has "exits" out '^exits  *183  *2553 '
has "DIR traps" out '^  by DIR trap  *0  *1600 '
has "starved and stuck are counted" out '^INTIDs starved  *12  *0  *0  *12$'
has "who fared differently" out '^  36-47$'
has "how" out '^    A: starved since 12.88 ms$'
has "where they part" out '^A showed 32A 33P 34P 35P, B showed 33P 34P 35P 36P\.$'
has "what stood on the list" out '^On both lists stood 32A 33P .* 47P\.$'
has "the first cross-check" out "^A's demand on linux-7.2 against B's recording: 16 agree, 0 differ"
has "the second one" out "^B's demand on linux-6.12 against A's recording: 16 agree, 0 differ"
if [ -s "$dir/err" ]; then not_ok "nothing to warn of"; else ok "nothing to warn of"; fi

expect "the other way round" 0 "$rec/7.2-ackall.vgr" "$rec/6.12-ackall.vgr"
has "is the mirror image" out '^A showed 33P 34P 35P 36P, B showed 32A 33P 34P 35P\.$'
expect "a recording with itself" 0 "$rec/6.12-ackall.vgr" "$rec/6.12-ackall.vgr"
has "never parts" out '^The runs never part'
expect "a race" 0 "$rec/6.12-registers.vgr" "$rec/7.2-registers.vgr"
has "is told" out '22 agree, 0 differ, 4 swapped, 0 open'
expect "a demand that ends early" 0 "$rec/6.12-preempt.vgr" "$rec/7.2-preempt.vgr"
has "is told, too" out '5 agree, 0 differ, 0 swapped, 11 open'
expect "at most so many groups" 0 -n 1 "$rec/6.12-ackall.vgr" "$rec/7.2-ackall.vgr"
has "the rest is counted" out '^  and [0-9]* more$'

expect "two guests differ" 1 "$rec/6.12-ackall.vgr" "$rec/7.2-preempt.vgr"
has "a warning says that they are two" err 'not the same guest: vgic-guest ackall / vgic-guest preempt'
has "and it goes on" out '^ differ:$'
has "with both fates" out '^    recorded: starved since'

expect "quiet" 1 -q "$rec/6.12-ackall.vgr" "$rec/7.2-preempt.vgr"
if [ -s "$dir/out" ]; then not_ok "quiet is quiet"; else ok "quiet is quiet"; fi

expect "JSON" 0 --json "$rec/6.12-ackall.vgr" "$rec/7.2-ackall.vgr"
if python3 - "$dir/out" 2>>"$dir/err" <<'EOF'
import json, sys
j = json.load(open(sys.argv[1]))
assert j["format"] == "vgicsim-compare" and j["version"] == 1 and j["agree"] is True
assert j["not_comparable"] == []
assert j["a"]["policy"] == "linux-6.12" and j["a_on_b"]["policy"] == "linux-7.2"
assert [s["intid"] for s in j["a"]["recorded"]["stuck"]] == [32, 33, 34, 35]
assert [s["intid"] for s in j["b_on_a"]["replayed"]["stuck"]] == [32, 33, 34, 35]
assert [l["intid"] for l in j["parting"]["b"]["lrs"]] == [33, 34, 35, 36]
irq = {i["intid"]: i for i in j["interrupts"]}
assert irq[36]["a"]["fate"] == irq[36]["b_on_a"]["fate"] == "starved"
assert irq[36]["b"]["fate"] == irq[36]["a_on_b"]["fate"] == "delivered"
assert irq[36]["b"]["delivered"] == 100 and irq[36]["a_on_b"]["delivered"] == 1
assert all(i["verdict_a_on_b"] == "agree" for i in j["interrupts"])
EOF
then ok "it says all that"; else not_ok "it says all that"; fi

# Deactivations that real kernels lost (docs/findings.md) are seen, and only those.
for want in 7.2-lost-dir-late:42 7.2-lost-dir:37 7.3-lost-dir:40; do
	file=$rec/findings/${want%:*}.vgr
	"$tool" replay --json --lrs 4 "$file" >"$dir/out" 2>"$dir/err"
	if python3 - "$dir/out" "${want#*:}" 2>>"$dir/err" <<'EOF'
import json, sys
stuck = json.load(open(sys.argv[1]))["recorded"]["stuck"]
assert [s["intid"] for s in stuck] == [int(sys.argv[2])], stuck
EOF
	then ok "$want is stuck"; else not_ok "$want is stuck"; fi
done

expect "one recording" 2 "$rec/6.12-ackall.vgr"
expect "no such file" 3 "$rec/6.12-ackall.vgr" "$dir/absent.vgr"
expect "no recording" 3 "$0" "$rec/6.12-ackall.vgr"
if [ "$(wc -l <"$dir/err")" -eq 1 ]; then ok "one line says so"; else not_ok "one line says so"; fi
"$tool" compare "$rec/6.12-ackall.vgr" "$rec/7.2-ackall.vgr" >/dev/full 2>"$dir/err"
if [ $? -eq 5 ]; then ok "a full disk: status 5"; else not_ok "a full disk: status 5"; fi

echo "1..$n"
