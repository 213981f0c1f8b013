#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Workload files: the same results as from the recording, and what is said of bad ones.
# Usage: test_derive.sh VGICSIM RECORDINGS-FOLDER SMALL.vgr STARVING.vgr GICV2.vgr BARE.vgw OLD.vgw...
# (BARE: without recorded numbers; OLD: as earlier versions have written them.) Speaks TAP.
set -u

tool=$1
recordings=$2
small=$3
starving=$4
gicv2=$5
bare=$6
shift 6
. "$(dirname "$0")/../support/tap.sh"

# same_results NAME RECORDING WORKLOAD OPTIONS...: but for what names the input.
same_results() {
	name=$1
	recording=$2
	workload=$3
	shift 3
	"$tool" replay -q -o "$dir/a.json" "$@" "$recording" >"$dir/out" 2>"$dir/err" &&
		"$tool" replay -q -o "$dir/b.json" "$@" "$workload" >>"$dir/out" 2>>"$dir/err" &&
		python3 -c '
import json, sys
texts = []
for name in sys.argv[1:]:
    result = json.load(open(name))
    for key in ("file", "hash", "derived_from"):
        del result["input"][key]
    texts.append(json.dumps(result))
sys.exit(texts[0] != texts[1])' "$dir/a.json" "$dir/b.json" 2>>"$dir/err"
	# shellcheck disable=SC2181
	if [ $? -eq 0 ]; then ok "$name"; else not_ok "$name"; fi
}

# every kind of guest: replayed from the file as from the recording, recorded numbers and all
for guest in 7.2-burst-split 7.2-preempt 7.2-level 7.2-sgi 7.2-timer 7.2-registers 7.2-group0 \
	     7.2-remote-dir 6.12-ackall 6.12-linux; do
	# The longest one with one LR count only.
	lrs=2-3
	[ "$guest" = 6.12-linux ] && lrs=3
	expect "derive $guest" 0 derive -q -o "$dir/w.vgw" "$recordings/$guest.vgr"
	if [ -s "$dir/out" ] || [ -s "$dir/err" ]; then not_ok "quiet is quiet"; else ok "quiet is quiet"; fi
	same_results "$guest: same results" "$recordings/$guest.vgr" "$dir/w.vgw" -l $lrs
	expect "$guest: check" 0 check "$dir/w.vgw"
	has "$guest: check: nothing wrong" out "nothing wrong"
done
expect "derive a burst" 0 derive -o "$dir/burst.vgw" "$recordings/7.2-burst.vgr"
has "what was derived: kernel" out "on kernel 7\.2\..*, 4 list registers$"
has "what was derived: interrupts" out "^  interrupts  [1-9][0-9]*: "
has "what was derived: exits" out "^  exits kept  [1-9][0-9]* of [1-9][0-9]*, "
burst=$recordings/7.2-burst.vgr
same_results "another policy" "$burst" "$dir/burst.vgw" -l 3 -P linux-6.12
same_results "open arrivals" "$burst" "$dir/burst.vgw" -l 3 --arrivals=open
same_results "dependent arrivals, delay, jobs" "$burst" "$dir/burst.vgw" -l 1-2 \
	--arrivals=dependent --mi-delay=2us --threads=2
profile=$recordings/../profiles/cortex-a76-emulated-7.2.ini
same_results "a profile" "$burst" "$dir/burst.vgw" --profile="$profile"
expect "the LR count of the profile" 0 replay --profile="$profile" "$dir/burst.vgw"
has "its name" out ", profile $profile$"
for sample in "$small" "$starving" "$gicv2"; do
	expect "derive ${sample##*/}" 0 derive -q -o "$dir/w.vgw" "$sample"
	same_results "${sample##*/}: same results" "$sample" "$dir/w.vgw"
done

# the table has the same rows
"$tool" replay -l 4 "$burst" | tail -n +2 >"$dir/a.txt"
"$tool" replay -l 4 "$dir/burst.vgw" | tail -n +2 >"$dir/b.txt"
if cmp -s "$dir/a.txt" "$dir/b.txt" && grep -q '^recorded' "$dir/b.txt"; then ok "same table"; else not_ok "same table"; fi
for file in "$burst" "$dir/burst.vgw"; do
	"$tool" replay -q -l 4 --hgrm="$dir/hgrm-${file##*.}" "$file" >"$dir/out" 2>"$dir/err"
done
if [ -s "$dir/hgrm-vgw/recorded-raise_to_lr.hgrm" ] && diff -r "$dir/hgrm-vgr" "$dir/hgrm-vgw" >"$dir/out"; then
	ok "same percentile distributions"
else
	not_ok "same percentile distributions"
fi
# a stretch of one's own: the recording itself is not there to show it
expect "replay -w of a workload" 0 replay -l 4 -w 4:0,1ms -j "$dir/burst.vgw"
if python3 -c '
import json, sys
result = json.load(open(sys.argv[1]))
sys.exit(not (result["recorded"]["timeline"] is None and result["cells"][0]["timeline"]))' \
	"$dir/out"; then ok "its time lines"; else not_ok "its time lines"; fi

# the input is named for what it is
expect "replay of a workload" 0 replay -l 4 -j "$dir/burst.vgw"
cp "$dir/out" "$dir/b.json"
"$tool" info -j "$dir/burst.vgw" >"$dir/w.json"
"$tool" info --header -j "$burst" >"$dir/r.json"
if python3 -c '
import json, sys
result, workload, recording = (json.load(open(name)) for name in sys.argv[1:])
sys.exit(not (result["input"]["hash"] == workload["identity"] and
              result["input"]["derived_from"] == recording["identity"] ==
              workload["recording"]["identity"]))' \
	"$dir/b.json" "$dir/w.json" "$dir/r.json"; then ok "hashes"; else not_ok "hashes"; fi

# the name does not matter, and the same recording gives the same bytes
cp "$dir/burst.vgw" "$dir/burst.vgr"
expect "a workload by another name" 0 replay -q "$dir/burst.vgr"
expect "derive to standard output" 0 derive -o - "$burst"
if cmp -s "$dir/out" "$dir/burst.vgw"; then ok "same bytes"; else not_ok "same bytes"; fi
expect "derive --json" 0 derive -j -o "$dir/w.vgw" "$burst"
if python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
assert o["exits"]["kept"] == sum(o["exits"]["kept_by_kind"].values()) <= o["exits"]["recorded"]
assert o["interrupts"]["total"] == sum(o["interrupts"][k] for k in ("sgi", "ppi", "spi", "lpi"))' \
	"$dir/out"; then ok "its numbers add up"; else not_ok "its numbers add up"; fi
expect "info of a workload" 0 info "$dir/burst.vgw"
has "info: estimator" out "estimator paced-[0-9]*, policy linux-7.2"
expect "plot of its result" 0 replay -q -l 3-4 -o "$dir/r.json" "$dir/burst.vgw"

# commands that need the records say so
for cmd in dump verify explain 'check --invariants' "pack -o $dir/not.vgr"; do
	# shellcheck disable=SC2086
	expect "$cmd of a workload" 3 $cmd "$dir/burst.vgw"
	one_line "$cmd of a workload says what to do" "a workload, not a recording: .*'vgicsim replay'"
done
expect "compare of a workload" 3 compare "$dir/burst.vgw" "$burst"
has "compare of a workload says so" err "a workload, not a recording"
expect "truth of a workload" 3 truth "$dir/burst.vgw" /dev/null
one_line "truth of a workload says so" "a workload, not a recording"
expect "derive of a workload" 3 derive -o "$dir/not.vgw" "$dir/burst.vgw"
one_line "derive of a workload says so" "a workload, not a recording"

# a workload need not hold the numbers of the recording
expect "replay without recorded numbers" 0 replay -l 4 "$bare"
has "it says so" out "^recorded: the workload does not hold"
expect "its result" 0 replay -q -l 2-4 -o "$dir/bare.json" "$bare"
if python3 -c 'import json, sys; sys.exit(json.load(open(sys.argv[1]))["recorded"] is not None)' \
	"$dir/bare.json"; then ok "no recorded numbers"; else not_ok "no recorded numbers"; fi
expect "info without recorded numbers" 0 info "$bare"
has "exits kept, of nobody knows how many" out "^  exits kept  [0-9]*, the others"

# what earlier versions wrote is read and replayed
for old; do
	expect "check of ${old##*/}" 0 check "$old"
	expect "replay of ${old##*/}" 0 replay -l 4 "$old"
	has "replay of ${old##*/}: the recorded numbers" out "^recorded  *starved  *183 "
	has "replay of ${old##*/}: what starves" out "^4 LRs: .* stayed outside the LRs"
done

# bad files
size=$(wc -c <"$dir/burst.vgw")
head -c $((size / 2)) "$dir/burst.vgw" >"$dir/cut.vgw"
cp "$dir/burst.vgw" "$dir/flipped.vgw"
printf 'X' | dd of="$dir/flipped.vgw" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
cat "$dir/burst.vgw" "$small" >"$dir/longer.vgw"
for bad in cut flipped longer; do
	expect "replay: $bad" 3 replay "$dir/$bad.vgw"
	one_line "replay: $bad says so" "at byte\|: the end of it is missing"
	expect "info: $bad" 3 info "$dir/$bad.vgw"
	expect "check: $bad" 1 check "$dir/$bad.vgw"
	has "check: $bad is named" out "^workload: byte [1-9]"
	expect "check --json: $bad" 1 check --json "$dir/$bad.vgw"
	has "check --json: $bad is not ok" out '"ok": false'
done
expect "check of several" 1 check -q "$dir/burst.vgw" "$dir/cut.vgw" "$small"

# bad command lines, bad recordings, no output
expect "no output named" 2 derive "$burst"
one_line "no output named: says so" "no output named"
expect "no recording" 2 derive -o "$dir/not.vgw"
expect "absent recording" 3 derive -o "$dir/not.vgw" "$dir/absent.vgr"
expect "no such VM" 3 derive -o "$dir/not.vgw" --vm=7 "$burst"
one_line "no such VM: says so" "no VM 7: .*: it has 1"
expect "the VM there is" 0 derive -q -o "$dir/vm.vgw" --vm=0 "$burst"
if cmp -s "$dir/vm.vgw" "$dir/burst.vgw"; then ok "it is the same"; else not_ok "it is the same"; fi
expect "unknown policy" 2 derive -o "$dir/not.vgw" -P linux-1.0 "$burst"
head -c 700 "$burst" >"$dir/short.vgr"
expect "nothing in it" 3 derive -o "$dir/not.vgw" "$dir/short.vgr"
expect "no folder to write to" 5 derive -o "$dir/absent/not.vgw" "$burst"
if [ -e "$dir/not.vgw" ]; then not_ok "nothing is left behind"; else ok "nothing is left behind"; fi
head -c $(($(wc -c <"$burst") - 40)) "$burst" >"$dir/tail.vgr"
expect "derive of a cut recording" 0 derive -o "$dir/tail.vgw" "$dir/tail.vgr"
has "a cut recording warns" err "the end of the file is missing"
has "a cut recording is named" out "^  recording   [0-9a-f]*, cut, "

echo "1..$n"
