#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The command line of record and doctor, as far as it goes without a host to record.
# Usage: test_capture.sh VGICSIM. Speaks TAP.
set -u

tool=$(realpath "$1") || exit 1
. "$(dirname "$0")/../support/tap.sh"
cd "$dir" || exit 1

# refused NAME STATUS PATTERN ARGUMENTS...: that status, one line with the pattern, no file left.
refused() {
	name=$1 want=$2 pattern=$3
	shift 3
	"$tool" "$@" >out 2>err </dev/null
	got=$?
	if [ $got -ne "$want" ]; then
		not_ok "$name: status $got, not $want"
	elif [ "$(wc -l <err)" -ne 1 ] || ! grep -q -e "$pattern" err; then
		not_ok "$name: the line"
	elif [ -n "$(find . -name '*.vgr')" ]; then
		not_ok "$name: leaves a file"
	else
		ok "$name"
	fi
}

refused "record: max-loss is no number" 2 "--max-loss=many" record --max-loss=many
refused "record: max-loss over 100 %" 2 "--max-loss=101%" record --max-loss=101%
refused "record: ring is no power of two" 2 "power of two" record --ring-size=100K
refused "record: ring too small" 2 "ring-size" record --ring-size=4K
refused "record: to standard output" 2 "name a file" record -o -
refused "record: process and command" 2 "exclude" record -p 1 -- true
refused "record: all without a command" 2 "--all" record --all
refused "record: no such process number" 2 "-p: give" record -p 0
refused "record: no such attachment" 2 "attach" record --attach=magic
refused "record: no such backend" 2 "--backend" record --backend=magic
refused "record: entries without tracefs" 2 "for use with --backend=tracefs" record --entries 4
refused "record: more entries than an event holds" 2 "--entries" record --backend=tracefs --entries 15
refused "record: level too high" 2 "-z: give" record -z 99
refused "record: operands" 2 "" record something

refused "record: a condition without a limit" 2 "column 12: a number of interrupts" record --trigger "overflow > "
refused "record: a condition on what is not known" 2 "column 1: raise-to-lr, wait" record --trigger "late > 5us"
refused "record: before without a condition" 2 "for use with --trigger" record --before 1s
refused "record: memory too small" 2 "--memory" record --trigger "overflow > 4" --memory 4K

if "$tool" record --help >out 2>err && grep -q "CAP_BPF" out; then
	ok "record --help names the capabilities"
else
	not_ok "record --help names the capabilities"
fi

if [ "$(uname -m)" = aarch64 ]; then
	echo "ok $((n + 1)) - record: not an arm64 host # SKIP this is one"
	echo "ok $((n + 2)) - doctor: not an arm64 host # SKIP this is one"
	echo "ok $((n + 3)) - doctor --json # SKIP this is an arm64 host"
	echo "ok $((n + 4)) - record: not an arm64 host, by tracefs # SKIP this is one"
	n=$((n + 4))
else
	refused "record: not an arm64 host" 4 "not an arm64 host" record -d 1
	refused "record: not an arm64 host, by tracefs" 4 "not an arm64 host\|without libtracefs" record -d 1 --backend=tracefs
	refused "doctor: not an arm64 host" 4 "not an arm64 host" doctor
	"$tool" doctor --json >out 2>err
	if [ $? -eq 4 ] && grep -q '"usable": false' out && grep -q '"why_not": "this is' out; then
		ok "doctor --json"
	else
		not_ok "doctor --json"
	fi
fi
echo "1..$n"
