#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Latencies as replay and info hand them out. Usage: test_latencies.sh VGICSIM RECORDINGS
# Speaks TAP.
set -u

tool=$1
rec=$2
. "$(dirname "$0")/../support/tap.sh"

# check NAME PROGRAM ARGUMENTS...
check() {
	name=$1
	shift
	if python3 - "$@" 2>>"$dir/err"; then ok "$name"; else not_ok "$name"; fi
}

file=$rec/7.2-ackall.vgr
expect "a table" 0 replay --lrs 1-4 "$file"
has "raises to LRs with their intervals" out '^raise to LR  *n  *p50  *p99  *p99.9  *max$'
has "of the recording" out '^recorded  *1600  *[0-9.]* us ([0-9.]* us\.\.[0-9.]* us)  *[0-9.]* ms (.*)  *n too small  *[0-9.]* ms$'
has "of an LR count" out '^2 LRs  *1600  *[0-9.]* us (.*)  *[0-9.]* [mu]s (.*)  *n too small '
has "none of a live-lock" out '^1 LR  *live-lock: no numbers$'
has "what is estimated says so" out '^raise to acknowledge \* '
has "merged raises have a column" out '^LRs .* merged '

expect "four interrupts are too few" 0 replay --lrs 4 "$rec/6.12-ackall.vgr"
has "for any percentile" out '^recorded  *4  *n too small  *n too small  *n too small  *[0-9.]* us$'

# Lines that stay high over the handling, SGIs, timers: the same raises in both.
for name in 7.2-level 7.2-level-split 6.12-level 7.2-sgi 7.2-linux; do
	expect "replay of $name" 0 replay --json --lrs 4 "$rec/$name.vgr"
	check "$name has the same raises as its recording" "$dir/out" <<'PROGRAM'
import json, sys
r = json.load(open(sys.argv[1]))
a, b = (c["latency"]["raise_to_lr"] for c in (r["recorded"], r["cells"][0]))
assert a["n"] == b["n"] > 1000, (a["n"], b["n"])
p, q = a["percentiles"]["p50"]["ns"], b["percentiles"]["p50"]["ns"]
assert abs(p - q) <= 0.25 * p, (p, q)
assert abs(r["recorded"]["merged_raises"] - r["cells"][0]["merged_raises"]) <= 2
assert a["n"] > b["block_length"] * 15
PROGRAM
done
check "Linux's timers merge" "$dir/out" <<'PROGRAM'
import json, sys
assert json.load(open(sys.argv[1]))["recorded"]["merged_raises"] > 0
PROGRAM

cp "$dir/out" "$dir/one"
expect "the same again" 0 replay --json --lrs 4 "$rec/7.2-linux.vgr"
if cmp -s "$dir/one" "$dir/out"; then ok "same bytes"; else not_ok "same bytes"; fi
expect "on several threads" 0 replay --json --lrs 4 --threads 3 "$rec/7.2-linux.vgr"
if cmp -s "$dir/one" "$dir/out"; then ok "same bytes again"; else not_ok "same bytes again"; fi

expect "info" 0 info "$rec/7.2-linux.vgr"
has "info has raises to LRs" out '^raise to LR  *6637  *[0-9.]* us ('
has "info has merged raises" out '^[1-9][0-9]* raises were merged with one before$'
expect "info as JSON" 0 info --json "$rec/7.2-linux.vgr"
check "info is what replay says of the recording" "$dir/out" "$dir/one" <<'PROGRAM'
import json, sys
a = json.load(open(sys.argv[1]))
b = json.load(open(sys.argv[2]))["recorded"]
assert a["merged_raises"] == b["merged_raises"]
assert a["raise_to_lr"]["hist"] == b["latency"]["raise_to_lr"]["hist"]
PROGRAM

expect "percentile distributions" 0 replay -q --lrs 1-3 --hgrm "$dir/hgrm" -o "$dir/json" "$file"
if [ "$(ls "$dir/hgrm" | tr '\n' ' ')" = "2-lrs-ack_to_eoi.hgrm 2-lrs-raise_to_ack.hgrm \
2-lrs-raise_to_deactivate.hgrm 2-lrs-raise_to_lr.hgrm 3-lrs-ack_to_eoi.hgrm \
3-lrs-raise_to_ack.hgrm 3-lrs-raise_to_deactivate.hgrm 3-lrs-raise_to_lr.hgrm \
recorded-raise_to_lr.hgrm " ]; then
	ok "of what is known, and of no live-lock"
else
	ls "$dir/hgrm" >"$dir/out"
	not_ok "of what is known, and of no live-lock"
fi
check "they hold the histograms" "$dir" <<'PROGRAM'
import json, re, sys
r = json.load(open(sys.argv[1] + "/json"))
cells = {"recorded": r["recorded"], "2-lrs": r["cells"][1], "3-lrs": r["cells"][2]}
for name, cell in cells.items():
    for kind, lat in cell["latency"].items():
        if lat is None:
            continue
        text = open("%s/hgrm/%s-%s.hgrm" % (sys.argv[1], name, kind)).read()
        head, rest = text.split("\n\n", 1)
        assert head.split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
        lines = [l.split() for l in rest.splitlines() if not l.startswith("#")]
        seen, last = 0, -1.0
        hist = [(min(v, lat["max_ns"]), c) for v, c in lat["hist"]]
        for line in lines:
            value, p, total = float(line[0]), float(line[1]), int(line[2])
            assert p > last
            last = p
            assert total == sum(c for v, c in hist if v <= value * 1000 + 0.5), line
            assert total >= p * lat["n"] - 1e-6, line
        assert last == 1 and lines[-1][2] == str(lat["n"]) and len(lines[-1]) == 3
        assert float(re.search(r"Max *= *([0-9.]*)", text).group(1)) * 1000 == lat["max_ns"]
        assert abs(float(re.search(r"Mean *= *([0-9.]*)", text).group(1)) * 1000
                   - lat["mean_ns"]) <= 1.5
PROGRAM
: >"$dir/taken"
expect "no folder" 5 replay -q --lrs 4 --hgrm "$dir/taken" "$file"
if [ "$(wc -l <"$dir/err")" -eq 1 ]; then ok "one line says so"; else not_ok "one line says so"; fi
expect "no folder above it" 5 replay -q --lrs 4 --hgrm "$dir/a/b" "$file"

expect "what a raise is" 0 replay --explain latency.raise_to_lr
has "is explained" out 'still high at the sync'
expect "merged raises are explained" 0 replay --explain merged_raises

echo "1..$n"
