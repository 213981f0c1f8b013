#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# test_trace_dat.sh VGICSIM RECORDINGS SMALL GICV2 HOSTILE CPU: a recording as a trace.dat, read back by trace-cmd.
# shellcheck disable=SC2034,SC2154
tool=$1 recordings=$2 small=$3 gicv2=$4 hostile=$5 beyond=$6
sub=export
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../support/tap.sh
. "$here/../support/tap.sh"
if ! command -v trace-cmd >/dev/null; then
	echo "1..0 # SKIP trace-cmd is not installed"
	exit 0
fi

# written NAME FILE ARGUMENT...: as $dir/trace.dat; what trace-cmd says of it is $dir/report.
written() {
	name=$1 file=$2
	shift 2
	rm -f "$dir/trace.dat"
	expect "$name: written" 0 --to trace.dat "$@" -o "$dir/trace.dat" "$file"
	check "$name: every event's format is understood" trace-cmd report -N --check-events -i "$dir/trace.dat"
	if trace-cmd report -N -t -i "$dir/trace.dat" >"$dir/report" 2>"$dir/err" && [ ! -s "$dir/err" ]; then
		ok "$name: trace-cmd reads it, and complains of nothing"
	else
		not_ok "$name: trace-cmd reads it, and complains of nothing"
	fi
}

# Each record is an event, each MI has its sources; on the CPU it was on, and time goes on.
for guest in 7.2-sgi 7.2-group 6.12-ackall 7.2-linux 7.3.4-gic2-vhe/burst; do
	file=$recordings/$guest.vgr
	written "$guest" "$file"
	"$tool" info --json "$file" >"$dir/info"
	"$tool" dump --json "$file" >"$dir/dump"
	check "$guest: what was recorded is in it" python3 -c "
import collections, json, re
line = re.compile(r'^ *(.+)-(\d+) +\[(\d+)\] +(\d+)\.(\d{9}): +(\w+): +(?:vCPU (-?\d+):(-?\d+) ?)?(.*)$')
names = {'kvm_entry': 'entry', 'kvm_exit': 'exit', 'vgic_update_irq_pending': 'inject', 'kvm_ack_irq': 'acked',
	'kvm_mmio': 'mmio', 'kvm_wfx_arm64': 'wfx'}
last, seen, mi, sources, threads, events = 0, collections.Counter(), collections.Counter(), {}, {}, collections.Counter()
for text in open('$dir/report'):
	if text.startswith('cpus='):
		continue
	m = line.match(text)
	assert m, text
	comm, pid, cpu, s, ns, event, vm, vcpu, rest = m.groups()
	time = int(s) * 10 ** 9 + int(ns)
	assert time >= last, text
	last, name, vcpu = time, names.get(event, event), (vm, vcpu)
	if name == 'mi':
		mi[vcpu] += 1
		for source in rest.split():
			sources[vcpu, source] = sources.get((vcpu, source), 0) + 1
		continue
	if name == 'sgi' and 'gic2' in '$guest':
		continue
	seen[name] += 1
	seen[name, vcpu] += 1
	events[time, name, int(cpu), int(pid)] += 1
	if name == 'entry':
		assert (comm + ' ').startswith('vCPU %s:%s ' % vcpu), text
		assert threads.setdefault(pid, vcpu) == vcpu, text
info = json.load(open('$dir/info'))
for kind, n in info['totals']['by_type'].items():
	assert seen[kind] == n, (kind, seen[kind], n)
for v in info['vcpus']:
	who = str(v['vm']), str(v['vcpu'])
	for kind, key in (('flush', 'flushes'), ('sync', 'syncs'), ('entry', 'entries'), ('exit', 'exits')):
		assert seen[kind, who] == v[key], (kind, who, seen[kind, who], v[key])
	assert mi[who] == v['mi'], (who, mi[who], v['mi'])
	for source, n in v['mi_by_source'].items():
		assert sources.get((who, source), 0) == n, (who, source, n)
for text in open('$dir/dump'):
	r = json.loads(text)
	events[r['time'], r['type'], r['cpu'], r['tid']] -= 1
assert not any(events.values()), [e for e in events.items() if e[1]][:3]
"
done
written "a small one" "$small"
written "a GICv2 one" "$gicv2"
check "a GICv2 one: its SGI" grep -q ' sgi: .*vCPU 0:1 SGI 5 ' "$dir/report"
written "one vCPU" "$recordings/7.2-sgi.vgr" --vcpu 1
check "one vCPU: no other" sh -c "grep -q 'flush: .*vCPU 0:1 ' '$dir/report' && ! grep -q 'flush: .*vCPU 0:[02] ' '$dir/report'"
check "list registers and the list can be read" grep -q 'flush: .*LR 1/4: 1<*[0-9]*p | ap_list 1: ' "$dir/report"

# Names that are no names stay on their line, and numbers that cannot be do no harm.
written "a hostile one" "$hostile"
check "a hostile one: its losses are events that were missed" grep -q '^CPU:2 \[15 EVENTS DROPPED\]' "$dir/report"
check "a hostile one: nobody's are of no vCPU" grep -q 'vgic_update_irq_pending: vCPU 0:-1 IRQ 4294967295,' "$dir/report"
check "a hostile one: a line an event" sh -c "[ \"\$(wc -l <'$dir/report')\" -ge 18 ] && ! grep -qv '^cpus=\|^CPU\|^ *.*-[0-9]* *\[[0-9]*\] *[0-9.]*: ' '$dir/report'"
check "a hostile one: nothing that a terminal obeys" sh -c "! LC_ALL=C grep -q '[^ -~]' '$dir/report'"
check "a hostile one: the kernel's name, too" sh -c "trace-cmd report --uname -i '$dir/trace.dat' | LC_ALL=C grep -q '7.3??]0;%s%n?'"
check "a hostile one: no time goes back" sh -c "! trace-cmd report -N --ts-check -i '$dir/trace.dat' 2>&1 | grep -i 'went backwards'"
expect "a CPU that no host has" 3 --to trace.dat -o "$dir/none.dat" "$beyond"
one_line "a CPU that no host has" "another format"
check "a CPU that no host has: no file" test ! -e "$dir/none.dat"

# What it has of the kernel's own events, import reads back as they were.
if "$tool" help | grep -q '^  import '; then
	for guest in 7.2-sgi 7.2-linux 7.3.4-gic2-vhe/burst; do
		"$tool" export --to trace.dat -o "$dir/trace.dat" "$recordings/$guest.vgr"
		check "$guest: import takes it" "$tool" import -q -o "$dir/back.vgr" "$dir/trace.dat"
		"$tool" dump --json "$dir/back.vgr" >"$dir/back" 2>"$dir/err"
		"$tool" dump --json "$recordings/$guest.vgr" >"$dir/dump"
		check "$guest: exported and imported again" python3 -c "
import json
def events(path):
	for line in open(path):
		r = json.loads(line)
		if r['type'] in ('entry', 'exit', 'mmio', 'wfx', 'inject', 'acked'):
			yield {k: v for k, v in r.items() if k not in ('n', 'seq', 'vm', 'vcpu', 'flags', 'path', 'distributor')}
a, b = list(events('$dir/dump')), list(events('$dir/back'))
assert len(a) == len(b) > 5000, (len(a), len(b))
for x, y in zip(a, b):
	assert x == y, (x, y)
"
	done
fi

# The same bytes however it is decoded, into a pipe as into a file, wherever its pages are kept until then.
expect "four threads" 0 --to trace.dat -T 4 -o "$dir/four" "$recordings/7.2-linux.vgr"
expect "one thread" 0 --to trace.dat -T 1 "$recordings/7.2-linux.vgr"
check "the same bytes" cmp "$dir/four" "$dir/out"
expect "a full disk" 5 --to trace.dat -o /dev/full "$small"
one_line "a full disk"
echo "1..$n"
