#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The command line of the readers: what is printed, what the exit status is, what is left
# behind. Usage: test_commands.sh VGICSIM SMALL.vgr STARVING.vgr GICV2.vgr
# (The recordings as tests/support/make_recording writes them.) Speaks TAP.
set -u

tool=$1
small=$2
starving=$3
gicv2=$4
. "$(dirname "$0")/../support/tap.sh"

# front door
expect "no command is a usage error" 2
expect "version" 0 --version
has "version has a number" out '^vgicsim [0-9]'
expect "help" 0 help
has "help lists info" out ' info '
has "help lists check" out ' check '
expect "help of a command" 0 help dump
has "help has examples" out '^examples:'
expect "--help of a command" 0 dump --help
expect "unknown command" 2 nonsense
one_line "unknown command says so" "no such command: 'nonsense'"
expect "unknown option" 2 info --nonsense "$small"
one_line "unknown option says so" "no such option: --nonsense"
expect "missing operand" 2 info
expect "too many operands" 2 info "$small" "$small"
expect "bad value" 2 dump --vcpu=x "$small"
one_line "bad value says what would do" "from 0 to 65534"

# every command that reads a recording meets bad files the same way
head -c 700 "$small" >"$dir/cut.vgr"
head -c 40 "$small" >"$dir/short.vgr"
cp "$small" "$dir/flipped.vgr"
size=$(wc -c <"$small")
printf 'X' | dd of="$dir/flipped.vgr" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
cp "$small" "$dir/magic.vgr"
printf 'X' | dd of="$dir/magic.vgr" bs=1 seek=1 conv=notrunc 2>/dev/null
: >"$dir/empty.vgr"
mkdir "$dir/folder.vgr"
for cmd in info dump check; do
	expect "$cmd: absent file" 3 $cmd "$dir/absent.vgr"
	one_line "$cmd: absent file says so" "No such file"
	expect "$cmd: no recording" 3 $cmd "$0"
	one_line "$cmd: no recording says so" "not a vgicsim recording"
	expect "$cmd: wrong magic" 3 $cmd "$dir/magic.vgr"
	expect "$cmd: empty file" 3 $cmd "$dir/empty.vgr"
	one_line "$cmd: empty file says so" "an empty file"
	expect "$cmd: folder" 3 $cmd "$dir/folder.vgr"
	one_line "$cmd: folder says so" "a directory"
	expect "$cmd: cut too early" 3 $cmd "$dir/short.vgr"
	one_line "$cmd: cut too early says so" "cut before anything"
done
expect "dump: flipped bit" 3 dump "$dir/flipped.vgr"
has "dump: flipped bit is named" err "damaged: .*at byte"
expect "info: flipped bit" 3 info "$dir/flipped.vgr"
expect "check: flipped bit" 1 check "$dir/flipped.vgr"
has "check: flipped bit is named" out "^frame: "
head -c $((size - 40)) "$small" >"$dir/tail.vgr"
expect "dump: cut file" 0 dump "$dir/tail.vgr"
has "dump: cut file warns" err "the end of the file is missing"
expect "info: cut file" 0 info "$dir/tail.vgr"
expect "check: cut file" 1 check "$dir/tail.vgr"
has "check: cut file is named" out "^ending: "

# what they print
expect "info" 0 info "$small"
has "info: kernel" out "7.3.4-test"
has "info: totals" out "176 records"
has "info: both vCPUs" out "^vCPU 0:1"
expect "info --header" 0 info --header "$small"
expect "info of a starving guest" 0 info "$starving"
for intid in 36 37 38 39; do
	has "info names $intid" out "STARVED.* vCPU 0:0 interrupt $intid:"
done
has "info says what held the list registers" out "32a 33a 34a 35a"
if [ "$(grep -c STARVED "$dir/out")" -eq 4 ]; then ok "nothing else starves"; else not_ok "nothing else starves"; fi
expect "info with a longer threshold" 0 info --starved=10s "$starving"
if grep -q STARVED "$dir/out"; then not_ok "none waited 10 s"; else ok "none waited 10 s"; fi
expect "check" 0 check "$small"
has "check: nothing wrong" out "nothing wrong"
expect "check --quiet" 0 check -q "$small"
if [ -s "$dir/out" ]; then not_ok "quiet is quiet"; else ok "quiet is quiet"; fi
expect "dump" 0 dump "$starving"
has "dump: as the real host was described" out \
	'hcr=00000003\[UIE\] LR: 32a 33a 34a 35a | ap_list: 32A 33A 34A 35A 36P 37P 38P 39P'
expect "dump -n" 0 dump -n 7 "$small"
if [ "$(wc -l <"$dir/out")" -eq 7 ]; then ok "dump -n: that many"; else not_ok "dump -n: that many"; fi
expect "dump --type" 0 dump --type=inject "$small"
if [ "$(wc -l <"$dir/out")" -eq 14 ]; then ok "dump --type: all of them"; else not_ok "dump --type: all of them"; fi
expect "dump --irq" 0 dump --irq=37 --type=flush "$small"
if [ "$(wc -l <"$dir/out")" -eq 5 ]; then ok "dump --irq: those with it"; else not_ok "dump --irq: those with it"; fi

# a host with a GICv2: list registers of 32 bits, SGIs with their source
expect "check of a GICv2" 0 check "$gicv2"
has "check of a GICv2: nothing wrong" out "2 flush/sync pairs, 0 lost: nothing wrong"
expect "info of a GICv2" 0 info "$gicv2"
has "info of a GICv2: the host" out "guest sees GICv2, host has GICv2"
has "info of a GICv2: the VM" out "2 vCPUs, GICv2"
has "info of a GICv2: SGI by GICD_SGIR" out "DIR 0, SGI 1,.*MMIO 1;"
has "info of a GICv2: the source of the MI" out "MI *1 EOI 1$"
expect "dump of a GICv2" 0 dump "$gicv2"
has "dump of a GICv2: pending" out 'flush .*LR: 5<1p 40p | ap_list'
has "dump of a GICv2: read back" out 'sync .*LR: 5<1a 40- |'
has "dump of a GICv2: GICD_SGIR" out 'mmio   write 8000f00 4 bytes value=10005 SGI 5 to 0$'
has "dump of a GICv2: DIR with its source" out 'dir    5<1$'
expect "dump -v of a GICv2" 0 dump -v --type=flush "$gicv2"
has "dump -v of a GICv2: widened" out 'LR: 5<1p(a0 g0 eoi) 40p(80 g0 eoi)'
has "dump -v of a GICv2: sources" out 'from 2 by 1 ->0)'
expect "dump --irq of a GICv2" 0 dump --irq=5 "$gicv2"
if [ "$(wc -l <"$dir/out")" -eq 6 ]; then ok "dump --irq: SGI and DIR too"; else not_ok "dump --irq: SGI and DIR too"; fi
expect "dump --json of a GICv2" 0 dump --json --type=sync "$gicv2"
has "dump --json of a GICv2: 32 bits" out '"lr":\["0x2a080405","0x08080028"\]'

# pack keeps every record and nothing half-written
"$tool" dump --json "$small" >"$dir/before"
expect "pack" 0 pack -o "$dir/packed.vgr" "$small"
"$tool" dump --json "$dir/packed.vgr" >"$dir/after"
if cmp -s "$dir/before" "$dir/after"; then ok "pack: same records"; else not_ok "pack: same records"; fi
expect "pack: checks" 0 check "$dir/packed.vgr"
if [ "$(wc -c <"$dir/packed.vgr")" -lt "$size" ]; then ok "pack: smaller"; else not_ok "pack: smaller"; fi
cp "$small" "$dir/place.vgr"
expect "pack in place" 0 pack -q "$dir/place.vgr"
if cmp -s "$dir/place.vgr" "$dir/packed.vgr"; then ok "pack: same result"; else not_ok "pack: same result"; fi
for bad in flipped tail absent; do
	expect "pack: $bad" 3 pack -o "$dir/not.vgr" "$dir/$bad.vgr"
	if [ -e "$dir/not.vgr" ] || [ -e "$dir/not.vgr.packing" ]; then
		not_ok "pack: $bad leaves nothing"
	else
		ok "pack: $bad leaves nothing"
	fi
done
expect "pack: no folder to write to" 5 pack -o "$dir/absent/not.vgr" "$small"

# JSON is JSON
for args in "info --json" "check --json" "dump --json"; do
	# shellcheck disable=SC2086
	expect "$args" 0 $args "$small"
	if python3 -c '
import json, sys
if sys.argv[2] == "dump":
    n = [json.loads(line)["n"] for line in open(sys.argv[1])]
    assert n == list(range(1, 177)), n
else:
    json.load(open(sys.argv[1]))
' "$dir/out" "${args%% *}" 2>>"$dir/err"; then ok "$args parses"; else not_ok "$args parses"; fi
done
expect "info --json of a starving guest" 0 info --json "$starving"
has "info --json: starved" out '"intid": 39'
expect "check --json of a damaged file" 1 check --json "$dir/flipped.vgr"
has "check --json: not ok" out '"ok": false'

# no colour codes when nobody looks
if "$tool" info "$starving" | grep -q "$(printf '\033')"; then not_ok "no colours in a pipe"; else ok "no colours in a pipe"; fi

# a full disk is told
"$tool" dump "$small" >/dev/full 2>"$dir/err"
if [ $? -eq 5 ]; then ok "full output: status 5"; else not_ok "full output: status 5"; fi
one_line "full output says so" "standard output"

echo "1..$n"
