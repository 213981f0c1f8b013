#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# test_stat.sh VGICSIM RECORDINGS GICV2 SCHEMA UNIT: what stat counts of a recording is what info says of it; its
# formats; its errors. What it counts live is held against recordings by tests/host/realhost.
# shellcheck disable=SC2034,SC2154
tool=$1 recordings=$2 gicv2=$3 schema=$4 unit=$5
sub=stat
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../support/tap.sh
. "$here/../support/tap.sh"

for guest in 7.2-remote-dir 7.2-sgi 6.12-registers-prio 7.3.4-gic2-vhe/burst 7.2-linux; do
	file=$recordings/$guest.vgr
	expect "$guest" 0 --json --recording "$file"
	cp "$dir/out" "$dir/stat"
	"$tool" info --json "$file" >"$dir/info"
	check "$guest: the numbers of info" "$here/../host/stat-equal" "$dir/stat" "$dir/stat" "$dir/info"
	check "$guest: as many raises as info knows; conforms to the schema" python3 -c "
import json, sys
sys.path.insert(0, '$here/../support')
from json_schema import conforms
schema = json.load(open('$schema'))
raises = 0
for line in open('$dir/stat'):
	line = json.loads(line)
	misfit = conforms(line, schema, schema)
	assert not misfit, misfit
	raises += line['raise_to_lr']['n'] if line['type'] == 'total' else 0
	line['unheard_of'] = 1
	assert conforms(line, schema, schema)
assert raises == json.load(open('$dir/info'))['raise_to_lr']['n']
"
done
# What a live one printed, interval by interval.
check "intervals conform to the schema" python3 -c "
import json, sys
sys.path.insert(0, '$here/../support')
from json_schema import conforms
schema = json.load(open('$schema'))
types = set()
for line in map(json.loads, open('$here/stat.ndjson')):
	misfit = conforms(line, schema, schema)
	assert not misfit, misfit
	types.add(line['type'])
assert types == {'interval', 'tick', 'total', 'end'}, types
"
expect "a GICv2 recording" 0 --recording "$gicv2"
expect "a table" 0 --recording "$recordings/7.2-remote-dir.vgr"
has "a table: kinds of exits" out '^  exits .*MI [0-9]*, DIR [0-9]'
has "a table: sources" out '^  MI .*LRENP [0-9]'
has "a table: latencies" out '^  raise to LR .*p99 '
if [ "$(wc -L <"$dir/out")" -le 80 ]; then ok "a table: 80 columns"; else not_ok "a table: 80 columns"; fi

# What a collector reads.
mkdir "$dir/metrics"
echo old >"$dir/metrics/vgicsim.prom"
expect "metrics" 0 --openmetrics "$dir/metrics/vgicsim.prom" --recording "$recordings/7.2-mixed.vgr"
check "metrics: nothing else is printed" test ! -s "$dir/out"
check "metrics: no other file is left" test "$(ls "$dir/metrics")" = vgicsim.prom
check "metrics: the format" python3 - "$dir/metrics/vgicsim.prom" <<'EOT'
import re, sys
lines = open(sys.argv[1]).read().split("\n")
assert lines[-2:] == ["# EOF", ""], lines[-2:]
family = kind = None
helped, seen, last, buckets = set(), set(), {}, {}
for line in lines[:-2]:
	if line.startswith("# HELP "):
		family = line.split()[2]
		assert family not in helped and len(line.split()) > 4, line
		helped.add(family)
	elif line.startswith("# TYPE "):
		assert line.split()[2] == family, line
		kind = line.split()[3]
		assert kind in ("counter", "gauge", "histogram"), line
	else:
		m = re.fullmatch(r'([a-z_]+)(\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)+\})? ([0-9.e+-]+)', line)
		assert m and m[1].startswith("vgicsim_"), line
		suffix = m[1][len(family):]
		assert m[1].startswith(family) and suffix in {"counter": ["_total"], "gauge": [""],
			"histogram": ["_bucket", "_sum", "_count"]}[kind], line
		assert (m[1], m[2]) not in seen, line
		seen.add((m[1], m[2]))
		if suffix == "_bucket":
			who = (family, re.sub(r',le="[^"]*"', "", m[2]))
			assert float(m[3]) >= buckets.get(who, 0), line
			buckets[who] = float(m[3])
			last[who] = (re.search(r'le="([^"]*)"', m[2])[1], float(m[3]))
		if suffix == "_count":
			assert last[(family, m[2])] == ("+Inf", float(m[3])), line
assert len(helped) > 15 and len(buckets) == 6, (helped, buckets)
EOT
expect "metrics: no folder" 5 --openmetrics "$dir/there/is/none" --recording "$gicv2"
one_line "metrics: no folder"

# The unit gives the capabilities that the host tests find to be enough, and no others.
has_line() { check "unit: $1" grep -qx "$1" "$unit"; }
has_line "AmbientCapabilities=CAP_BPF CAP_PERFMON CAP_SYSLOG"
has_line "CapabilityBoundingSet=CAP_BPF CAP_PERFMON CAP_SYSLOG"
has_line "DynamicUser=yes"
if command -v systemd-analyze >"$dir/why" 2>&1; then
	# The tool is not installed where the unit looks for it.
	sed "s|^ExecStart=[^ ]*|ExecStart=$(realpath "$tool")|" "$unit" >"$dir/vgicsim-stat.service"
	systemd-analyze verify --man=no "$dir/vgicsim-stat.service" >"$dir/out" 2>&1
	if grep -q vgicsim-stat "$dir/out"; then not_ok "unit: systemd-analyze verify"; else ok "unit: systemd-analyze verify"; fi
else
	ok "unit: systemd-analyze verify # SKIP it is not installed"
fi

# Errors.
expect "no recording" 3 --recording "$0"
one_line "no recording" "not a vgicsim recording"
head -c 60000 "$recordings/7.2-mixed.vgr" >"$dir/cut.vgr"
expect "a recording that was cut" 0 --recording "$dir/cut.vgr"
has "a recording that was cut: warns" err 'cut'
expect "a recording and an interval" 2 --recording "$gicv2" 1
one_line "a recording and an interval"
expect "a recording and a process" 2 --recording "$gicv2" -p 1
expect "no interval" 2 soon
one_line "no interval" "interval soon"
expect "an interval of nothing" 2 0
expect "no count" 2 1 none
one_line "no count" "count none"
expect "three operands" 2 1 2 3
expect "a process and a command" 2 -p 1 -- true
one_line "a process and a command" "exclude"
expect "all without a command" 2 --all
expect "two formats" 2 --json --openmetrics "$dir/x" 1
expect "metrics to standard output" 2 --openmetrics -
one_line "metrics to standard output" "name a file"
expect "no vCPUs" 2 --vcpus 0
expect "too many vCPUs" 2 --vcpus 65537
if [ "$(uname -m)" != aarch64 ]; then
	expect "no arm64 host" 4 -d 1
	one_line "no arm64 host" "\(not an arm64 host\|without BPF\)"
	expect "no arm64 host, with a command" 4 -- true
	one_line "no arm64 host, with a command" "\(not an arm64 host\|without BPF\)"
fi
echo "1..$n"
