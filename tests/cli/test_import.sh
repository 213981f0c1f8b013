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

# The trace of a guest beside the recording of its host, both real.
guest=$traces/guest.dat host=$traces/guest.vgr
expect "guest: merged" 0 import --guest "$guest" --sync --json -o "$dir/both.vgr" "$host"
json "guest: every handler where its vCPU can have taken it" "j['begins'] == j['ends'] == 523 and j['outside'] == j['left_out'] == 0"
json "guest: the clocks, to within 20 us" "9964391096 - 20000 < j['offset_low_ns'] <= j['offset_ns'] <= j['offset_high_ns'] < 9964391096 + 20000"
expect "guest: check" 0 check "$dir/both.vgr"
has "guest: nothing wrong, nothing lost" out '65683 records, .* 0 lost: nothing wrong'
expect "guest: info" 0 info --json "$dir/both.vgr"
json "guest: counted" "sum(v['handlers'] for v in j['vcpus']) == 523 and j['totals']['by_type']['handler'] == 1046"
for command in "verify --json" "replay --json -l 2-4"; do
	# shellcheck disable=SC2086
	"$tool" $command "$host" >"$dir/alone" 2>/dev/null && "$tool" $command "$dir/both.vgr" >"$dir/merged" 2>/dev/null
	result "$(python3 -c "
import json
a, b = json.load(open('$dir/alone')), json.load(open('$dir/merged'))
for j in a, b:
	j.pop('file', None)
	j.pop('input', None)
print(int(a != b))")" "guest: ${command%% *} takes no notice"
done
"$tool" dump --json "$host" >"$dir/alone"
"$tool" dump --json "$dir/both.vgr" >"$dir/merged"
python3 -c "
import json, sys
sys.path.insert(0, '$here/../support')
from json_schema import conforms
schema = json.load(open('$here/../../cli/ndjson.schema.json'))
def but(line, *keys):
	return {k: v for k, v in json.loads(line).items() if k not in keys}
host = [but(x, 'n', 'seq') for x in open('$dir/alone')]
all = [json.loads(x) for x in open('$dir/merged')]
ours = [x for x in all if x['type'] == 'handler']
assert [{k: v for k, v in x.items() if k not in ('n', 'seq')} for x in all if x['type'] != 'handler'] == host
seq, entered = {}, {}
for x in all:
	assert x['seq'] == seq.get(x['cpu'], 0) + 1, x
	seq[x['cpu']] = x['seq']
	if x['type'] == 'entry':
		entered[x['vcpu']] = x['time'], x['cpu'], x['tid']
	if x['type'] == 'handler':
		assert entered[x['vcpu']][0] <= x['time'] and entered[x['vcpu']][1:] == (x['cpu'], x['tid']), x
		assert not conforms(x, schema, schema), x
assert {x['name'] for x in ours if x['begin']} >= {'arch_timer'}, ours[:2]
" >"$dir/out" 2>"$dir/err"
result $? "guest: the host's records are as they were, the guest's on the CPU that its vCPU had"
"$tool" export -o "$dir/both.pftrace" "$dir/both.vgr" 2>/dev/null && "$here/../support/perfetto" "$dir/both.pftrace" >"$dir/out" 2>"$dir/err"
result $? "guest: Perfetto: slices nest"
has "guest: Perfetto: a track of handlers" out "vCPU 1 guest handlers"
offset=$("$tool" import --json --guest "$guest" -o "$dir/x.vgr" "$host" | sed -n 's/.*"offset_ns": \([0-9-]*\).*/\1/p')
expect "guest: the same by its offset" 0 import -q --guest "$guest" --offset "$offset" -o "$dir/same.vgr" "$host"
cmp "$dir/both.vgr" "$dir/same.vgr" >/dev/null
result $? "guest: the same bytes"
expect "guest: a wrong offset" 0 import -q --guest "$guest" --offset $((offset + 30000000)) -o "$dir/x.vgr" "$host"
one_line "guest: a wrong offset" 'is the offset right'
expect "guest: another guest's host" 3 import --guest "$guest" -o "$dir/no.vgr" "$here/../../workloads/recordings/7.2-linux.vgr"
one_line "guest: another guest's host" 'the clocks cannot be matched'
expect "guest: no such VM" 3 import --guest "$guest" --vm 3 -o "$dir/no.vgr" "$host"
one_line "guest: no such VM" 'no VM 3'
expect "guest: a trace of something else" 3 import --guest "$traces/7.3-kvm.dat" -o "$dir/no.vgr" "$host"
one_line "guest: a trace of something else" 'no irq:irq_handler_entry'
head -c 9000 "$guest" >"$dir/cut.dat"
expect "guest: a trace that was cut" 3 import --guest "$dir/cut.dat" -o "$dir/no.vgr" "$host"
one_line "guest: a trace that was cut" 'damaged, or cut'
head -c 90000 "$host" >"$dir/cut.vgr"
expect "guest: a recording that was cut" 3 import --guest "$guest" -o "$dir/no.vgr" "$dir/cut.vgr"
[ ! -e "$dir/no.vgr" ]
result $? "guest: nothing is left of what failed"
expect "guest: no trace" 2 import --offset 5 -o "$dir/no.vgr" "$host"
expect "guest: no number" 2 import --guest "$guest" --offset 5x -o "$dir/no.vgr" "$host"
expect "guest: two ways" 2 import --guest "$guest" --offset 5 --sync -o "$dir/no.vgr" "$host"
expect "guest: onto itself" 2 import --guest "$guest" -o "$dir/both.vgr" "$dir/both.vgr"
expect "guest: no room to write" 5 import --guest "$guest" -o "$dir/none/x.vgr" "$host"

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
