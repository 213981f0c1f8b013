#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# test_export.sh VGICSIM RECORDINGS SMALL GICV2 SCHEMA: recordings in the formats of others. A Perfetto
# trace is read by protoc, and its numbers are those that 'vgicsim replay' measured in the recording.
# shellcheck disable=SC2034,SC2154
tool=$1 recordings=$2 small=$3 gicv2=$4 schema=$5
sub=export
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../support/tap.sh
. "$here/../support/tap.sh"

# trace NAME FILE ARGUMENT...: written, and read back into $dir/out.
trace() {
	name=$1 file=$2
	shift 2
	expect "$name: written" 0 "$@" -o "$dir/trace" "$file"
	if "$here/../support/perfetto" "$dir/trace" >"$dir/out" 2>"$dir/err"; then
		ok "$name: whole, slices nest, flows end"
	else
		not_ok "$name: whole, slices nest, flows end"
	fi
}

# Every exit is a slice with its cause, every MI has its sources, every interrupt its flow.
for guest in 7.2-burst-split 7.2-sgi 7.2-group 6.12-registers-prio 7.3.4-gic2-vhe/burst; do
	file=$recordings/$guest.vgr
	trace "$guest" "$file"
	"$tool" replay -q -l 4 -o "$dir/result" "$file"
	check "$guest: what was measured is in it" python3 -c "
import json
t, r = json.load(open('$dir/out')), json.load(open('$dir/result'))['recorded']
s, exits, mi = t['slices'], r['exits'], r['mi']

def came(source):
	return sum(n for k, n in s.items() if k.startswith('MI') and (not source or source in k.split()))

assert exits['total'] == s['guest'], (exits, s)
assert mi['total'] == came('')
for key, name in (('eoi', 'EOI'), ('u', 'U'), ('lrenp', 'LRENP'), ('np', 'NP'), ('grp0e', 'VGrp0E'), ('grp1e', 'VGrp1E')):
	assert mi[key] == came(name), (key, mi, s)
assert exits['wfi'] == s.get('WFI', 0) + s.get('WFE', 0)
assert exits['sgi'] == s.get('SGI', 0) and exits['mmio'] == s.get('MMIO', 0), (exits, s)
assert exits['other_irq'] == s.get('IRQ', 0), (exits, s)
assert r['eoicount_deactivations'] == t['instants'].get('ended by EOIcount', 0), (r['eoicount_deactivations'], t['instants'])
assert r['interrupts'] == t['instants']['acknowledged'], (r['interrupts'], t['instants'])
assert r['guest_time_ns'] == t['spent']['guest'], (r['guest_time_ns'], t['spent'])
"
	json "$guest: flows" "j['whole'] == j['ended'] and j['flows'] - j['ended'] < 32"
	json "$guest: no more list registers than there are" "j['most']['list registers in use'] <= 4"
done
trace "one vCPU" "$recordings/7.2-sgi.vgr" --vcpu 1
json "one vCPU: less of all" "0 < j['slices']['guest'] < 3000 and not any('vCPU 2 LR' in t for t in j['tracks'])"
trace "a window" "$recordings/7.2-mixed.vgr" --from 100ms --until 200ms
json "a window: less of it" "0 < j['slices']['guest'] < 20000 and j['slices']['WFI'] > 0"
trace "a small one" "$small"
trace "a GICv2 one" "$gicv2"

expect "csv" 0 --to csv "$recordings/7.2-burst.vgr"
cp "$dir/out" "$dir/csv"
check "csv: a row a record, as many columns in each" python3 -c "
import csv, json, subprocess, sys
rows = list(csv.reader(open('$dir/csv')))
dump = [json.loads(x) for x in subprocess.run(['$tool', 'dump', '--json', '$recordings/7.2-burst.vgr'],
	capture_output=True, check=True, text=True).stdout.splitlines()]
head = rows.pop(0)
assert len(rows) == len(dump), (len(rows), len(dump))
for row, record in zip(rows, dump):
	assert len(row) == len(head), row
	r = dict(zip(head, row))
	assert r['type'] == record['type'] and int(r['time_ns']) == record['time'], row
	assert r['vcpu'] == str(record.get('vcpu', '')), row
	if r['type'] in ('flush', 'sync'):
		assert int(r['hcr'], 16) == record['hcr'] and int(r['begin_ns']) == record['begin'], row
		assert len(r['list'].split()) == len(record['before']), row
		assert len(r['after'].split()) == len(record['after']), row
	if r['type'] == 'inject':
		assert int(r['intid']) == record['intid'] and int(r['level']) == record['level'], row
	if r['type'] == 'mmio':
		assert int(r['address'], 16) == int(record['gpa'], 16), row
"
for guest in 7.2-registers 7.3.4-gic2-vhe/sgi 7.2-remote-dir; do
	expect "$guest: ndjson" 0 --to ndjson "$recordings/$guest.vgr"
	"$tool" dump --json "$recordings/$guest.vgr" >"$dir/dump"
	check "$guest: what dump prints" cmp "$dir/out" "$dir/dump"
	check "$guest: every kind of record conforms to the schema" python3 -c "
import json, sys
sys.path.insert(0, '$here/../support')
from json_schema import conforms
schema, seen = json.load(open('$schema')), {}
for line in open('$dir/out'):
	kind = line.split('\"type\":\"')[1].split('\"')[0]
	seen[kind] = seen.get(kind, 0) + 1
	if seen[kind] <= 200:
		record = json.loads(line)
		misfit = conforms(record, schema, schema)
		assert not misfit, (misfit, line)
		record['unheard_of'] = 1
		assert conforms(record, schema, schema), line
assert len(seen) >= 8, seen
"
done

# The same bytes however it is decoded; nothing where there is nothing to write.
expect "four threads" 0 -T 4 -o "$dir/four" "$recordings/7.2-linux.vgr"
expect "one thread" 0 -T 1 -o "$dir/one" "$recordings/7.2-linux.vgr"
check "the same bytes on any number of threads" cmp "$dir/four" "$dir/one"
head -c 60000 "$recordings/7.2-mixed.vgr" >"$dir/cut.vgr"
expect "a recording that was cut" 0 -o "$dir/trace" "$dir/cut.vgr"
has "a recording that was cut: warns" err 'cut'
check "a recording that was cut: what is there" "$here/../support/perfetto" "$dir/trace"
rm -f "$dir/trace"
printf 'no recording' >"$dir/none.vgr"
expect "no recording" 3 -o "$dir/trace" "$dir/none.vgr"
one_line "no recording"
check "no recording: no file" test ! -e "$dir/trace"
expect "no folder" 5 -o "$dir/there/is/none" "$small"
one_line "no folder"
expect "no such format" 2 --to pdf "$small"
expect "a full disk" 5 -o /dev/full "$small"
one_line "a full disk"
echo "1..$n"
