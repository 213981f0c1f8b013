#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# test_import.sh VGICSIM TRACES MAKE_TRACE: files of trace-cmd, real ones of TRACES and some made by hand.
# shellcheck disable=SC2034,SC2154
tool=$1 traces=$2 make=$3
sub=
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../support/tap.sh
. "$here/../support/tap.sh"

# real NAME PAIRS: everything that a real kernel did is verified.
real() {
	expect "$1: import" 0 import -o "$dir/$1.vgr" "$traces/$1.dat"
	expect "$1: check" 0 check "$dir/$1.vgr"
	has "$1: check" out "whole.* $2 flush/sync pairs, 0 lost: nothing wrong"
	expect "$1: verify" 0 verify "$dir/$1.vgr"
	has "$1: every flush and sync" out "$2 of $2 flushes and $2 of $2 syncs compared"
	has "$1: none undecided" out '0 not decidable'
	has "$1: what it does not show" err 'made from a trace.dat that does not show:'
	expect "$1: derive" 0 derive -q -o "$dir/$1.vgw" "$dir/$1.vgr"
	expect "$1: replay" 0 replay -q -l 2-4 -o "$dir/$1.json" "$dir/$1.vgr"
}
real 7.3-ackall 86
real 6.12-ackall 117
expect "info" 0 info --json "$dir/7.3-ackall.vgr"
json "info says where it comes from" "j['header']['source'] == 'trace.dat' and 'boundary' in j['header']['missing'].split()"
json "the host" "j['header']['nr_lr'] == 4 and j['header']['kernel_release'].startswith('7.3.') and j['header']['kvm_mode'] == 'VHE'"
json "whose it is" "j['totals']['vms'][0]['comm'] == 'vgic-guest' and j['vcpus'][0]['dir'] == 36"

# kvm:* alone: exits by reason, injections, and no verdict.
expect "kvm only: import" 0 import --json -o "$dir/kvm.vgr" "$traces/7.3-kvm.dat"
json "kvm only: what is missing" "{'vcpu', 'flush', 'sync', 'path'} <= set(j['missing'].split()) and j['by_type']['exit'] == j['by_type']['entry'] > 40"
json "kvm only: others" "j['unknown'] > 0 and not j['malformed'] and j['whole'] and j['clock'] == 'mono'"
expect "kvm only: check" 0 check "$dir/kvm.vgr"
expect "kvm only: info" 0 info "$dir/kvm.vgr"
has "kvm only: exits by reason" out 'exits  .*IRQ .*data abort'
for command in verify explain calibrate "derive -o $dir/x.vgw" "replay -q -o $dir/x.json" "check --invariants" "compare $dir/kvm.vgr"; do
	# shellcheck disable=SC2086
	expect "kvm only: ${command%% *} refuses" 3 $command "$dir/kvm.vgr"
	one_line "kvm only: ${command%% *} says why" 'made from a trace.dat and lacks vcpu flush sync'
done
if [ -e "$dir/x.vgw" ] || [ -e "$dir/x.json" ]; then not_ok "nothing made up"; else ok "nothing made up"; fi

# The same events of machines of both byte orders are the same records.
for order in little big; do
	"$make" "$dir/$order.dat" $order
	expect "$order-endian" 0 import -o "$dir/$order.vgr" "$dir/$order.dat"
	"$tool" dump --json "$dir/$order.vgr" >"$dir/$order.txt"
done
if [ "$(wc -l <"$dir/little.txt")" = 18 ] && cmp -s "$dir/little.txt" "$dir/big.txt"; then
	ok "both byte orders are the same"
else
	not_ok "both byte orders are the same"
fi
has "unknown events are counted" err 'not of use: 1 events'
"$make" "$dir/long.dat" big long
expect "a long list" 0 import -o "$dir/long.vgr" "$dir/long.dat"
has "a long list is counted" err 'had longer lists'
expect "a long list: verify" 0 verify -P linux-7.3 "$dir/long.vgr"
has "a long list is not decided" out 'list longer than a record'
for order in little big; do
	"$make" "$dir/missed.dat" $order missed
	expect "missed events, $order-endian" 0 import -o "$dir/missed.vgr" "$dir/missed.dat"
	has "missed events: said" err 'events were lost: give trace-cmd larger buffers'
	expect "missed events: check" 0 check "$dir/missed.vgr"
	has "missed events: losses" out '[1-9][0-9]* lost: nothing wrong'
done
"$make" "$dir/noload.dat" noload
expect "without the layout" 0 import -o "$dir/noload.vgr" "$dir/noload.dat"
has "without the layout: said" err 'without a vgicsim:load event'
expect "without the layout: no verdict" 3 verify "$dir/noload.vgr"

# refused NAME FILE STATUS PATTERN
refused() {
	rm -f "$dir/bad.vgr"
	expect "$1" "$3" import -o "${5:-$dir/bad.vgr}" "$2"
	one_line "$1" "$4"
	if [ -e "$dir/bad.vgr" ]; then not_ok "$1: leaves nothing"; else ok "$1: leaves nothing"; fi
}
"$make" "$dir/useless.dat" useless
refused "nothing of use" "$dir/useless.dat" 3 'none of its 1 events is of use'
refused "no such file" "$dir/nowhere.dat" 3 'No such file'
refused "a recording" "$dir/big.vgr" 3 'not a file of trace-cmd'
: >"$dir/empty"
refused "an empty file" "$dir/empty" 3 'not a file of trace-cmd'
{ head -c 10 "$dir/little.dat"; printf '8\0'; tail -c +13 "$dir/little.dat"; } >"$dir/later.dat"
refused "a later version" "$dir/later.dat" 3 'version 8'
head -c 3000 "$dir/little.dat" >"$dir/cut.dat"
refused "cut in its formats" "$dir/cut.dat" 3 'damaged, or cut'
refused "onto itself" "$dir/little.dat" 2 'is the trace itself' "$dir/little.dat"
refused "no room to write" "$dir/little.dat" 5 'choose another file' "$dir/none/x.vgr"

# Cut anywhere: a line, or a recording that holds together; never a crash, and nothing made up.
bad=0
for file in "$traces/7.3-ackall.dat" "$dir/big.dat"; do
	size=$(wc -c <"$file")
	for part in 1 2 3 4 5 6 7; do
		head -c $((size * part / 8)) "$file" >"$dir/cut.dat"
		rm -f "$dir/cut.vgr"
		"$tool" import -o "$dir/cut.vgr" "$dir/cut.dat" >"$dir/out" 2>"$dir/err" </dev/null
		status=$?
		case $status in
		0) "$tool" check "$dir/cut.vgr" >>"$dir/out" 2>&1 || bad=1 ;;
		3) [ "$(wc -l <"$dir/err")" = 1 ] || bad=1 ;;
		*) bad=1 ;;
		esac
	done
done
result $bad "cut at seven places"
echo "1..$n"
