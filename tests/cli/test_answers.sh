#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vgicsim size and explain, and the bound of a replay: what they print, and what their exit
# status says. Speaks TAP. Usage: test_answers.sh VGICSIM RECORDINGS SMALL.vgr
set -u

tool=$1
rec=$2
small=$3
. "$(dirname "$0")/../support/tap.sh"

burst=$rec/7.3.4-gic3-vhe/burst.vgr
timer=$rec/7.3.4-gic3-vhe/timer.vgr
starving=$rec/6.12-ackall.vgr

# size
expect "size: a count is enough" 0 size --max-mi-rate 4500 "$burst"
has "size: the answer" out '^6 list registers: [0-9]* MIs/s$'
has "size: one fewer" out '^one fewer (5): fails: '
has "size: one more" out '^one more (7): meets: '
has "size: a live-lock is named" out '^Excluded by a live-lock: 1$'
expect "size: neighbours of a single count" 0 size -l 6 --max-mi-rate 4500 "$burst"
has "size: its one fewer" out '^one fewer (5): fails: '
has "size: its one more" out '^one more (7): meets: '
if grep -q '^5 ' "$dir/out"; then not_ok "size: only what was asked for"; else ok "size: only what was asked for"; fi
expect "size: none" 1 size -l 2-4 --max-mi-rate 0 "$burst"
has "size: says that there is none" out '^No LR count from 2 to 4 meets this.$'
expect "size: n too small" 1 size --slo 'p99.99(raise-to-lr) < 1s' "$timer"
has "size: says that nobody knows" out '^Too few samples to say for LR counts 2, 3'
has "size: and how many there were" out 'n too small (1800)'
expect "size: several demands" 0 size --slo 'p50(ack-to-eoi) <= 1ms; p90(raise-to-lr)<1s' \
	--slo 'p99(raise-to-deactivate)<10s' --json "$burst"
json "size: all of them count" "[s['name'] for s in j['slo']] == ['p50(ack-to-eoi)',
	'p90(raise-to-lr)', 'p99(raise-to-deactivate)']"
json "size: intervals hold their values" "all(s['low_ns'] <= s['value_ns'] <= s['high_ns']
	for l in j['lrs'] for r in l['recordings'] for s in r['slo'])"
json "size: smallest is the first that is enough" "j['smallest'] == min(l['nr_lr'] for l in j['lrs']
	if l['verdict'] in ('meets', 'likely')) and j['smallest'] == 2"
json "size: live-lock has no numbers" "j['lrs'][0]['verdict'] == 'live-lock'
	and j['lrs'][0]['recordings'][0]['mi_rate'] is None"
expect "size: an interval that reaches beyond" 0 size -l 4-6 --json \
	--slo 'p99(raise-to-lr) < 1s' --slo 'p99(raise-to-ack) < 28ms' "$burst"
json "size: likely is not certain" "j['smallest'] == 5 and j['lrs'][2]['verdict'] == 'likely'
	and j['smallest_certain'] is None"
cp "$dir/out" "$dir/one"
expect "size: jobs do not change it" 0 size -l 4-6 --json --threads 3 \
	--slo 'p99(raise-to-lr) < 1s' --slo 'p99(raise-to-ack) < 28ms' "$burst"
if cmp -s "$dir/out" "$dir/one"; then ok "size: byte for byte"; else not_ok "size: byte for byte"; fi
expect "size: two recordings" 0 size --max-mi-rate 4500 "$timer" "$burst"
has "size: which one binds" out "^5  *fails .*burst.vgr$"
has "size: each must meet it" out '^6 list registers: .*burst.vgr)$'
expect "size: nothing to meet" 2 size "$burst"
has "size: asks for a demand" err 'give --slo or --max-mi-rate'
expect "size: a bad demand" 2 size --slo 'p99(raise-to-ack) < 20' "$burst"
has "size: says what is wrong with it" err "time with its unit"
expect "size: an empty demand" 2 size --slo 'p50(ack-to-eoi)<1s;' "$burst"
expect "size: no recording" 3 size --max-mi-rate 1 "$dir/absent.vgr"
expect "size: the second is no recording" 3 size --max-mi-rate 1 "$burst" "$0"
expect "size: starvation excludes" 1 size -l 4 -P linux-6.12 --max-mi-rate 1000000 "$starving"
has "size: starvation is named" out '^Excluded by starvation: 4$'

"$tool" derive -q -o "$dir/burst.vgw" "$burst"
"$tool" size -l 4-6 --json --max-mi-rate 4500 "$burst" | sed 's/"\(file\|hash\|binding\)": "[^"]*"//' >"$dir/one"
expect "size: a workload" 0 size -l 4-6 --json --max-mi-rate 4500 "$dir/burst.vgw"
sed 's/"\(file\|hash\|binding\)": "[^"]*"//' "$dir/out" >"$dir/two"
if cmp -s "$dir/one" "$dir/two"; then ok "size: the same from it"; else not_ok "size: the same from it"; fi
"$tool" calibrate -q -o "$dir/host.ini" "$timer"
expect "size: on another machine" 0 size -l 6 --json --max-mi-rate 1000000 --profile "$dir/host.ini" "$burst" "$dir/burst.vgw"
json "size: says which" "j['profile']['file'] == '$dir/host.ini' and len(j['profile']['hash']) == 16"
json "size: the recording and its demand give the same" "j['lrs'][0]['recordings'][0]['guest_time_ns'] == j['lrs'][0]['recordings'][1]['guest_time_ns']"
"$tool" replay -l 6 --json --profile "$dir/host.ini" "$burst" >"$dir/replayed"
json "size: what replay gives there" "[(l['recordings'][0]['mi'], l['recordings'][0]['guest_time_ns']) for l in j['lrs'] if l['nr_lr'] == 6] == [(c['mi']['total'], c['guest_time_ns']) for c in json.load(open('$dir/replayed'))['cells']]"
expect "size: no such profile" 3 size --max-mi-rate 1 --profile "$dir/none.ini" "$burst"

# explain
expect "explain: the worst" 0 explain -n 3 "$starving"
has "explain: who, how long, since when" out \
	'^SPI 36 of vCPU 0 waited 507.87 ms (92 % lrs-full, 8 % exit) at 0.012245920 s (injected at record 130): '
has "explain: who held the LRs" out '4 of 4 LRs held active SPIs 32-35 (priority 0xa0), 36 stood 1st outside'
has "explain: to the end" out 'it still waited when the recording stopped.$'
has "explain: causes" out '%  lrs-full  *every list register held another interrupt$'
has "explain: how many are not told" out '^13 shorter ones are not told'
expect "explain: JSON" 0 explain --json -n 1000 "$burst"
json "explain: causes add up" "all(sum(w['causes_ns'].values()) == w['wait_ns'] ==
	w['end_ns'] - w['raised_ns'] for w in j['waits']) and len(j['waits']) == 1000"
json "explain: longest first" "[w['wait_ns'] for w in j['waits']] ==
	sorted((w['wait_ns'] for w in j['waits']), reverse=True)"
json "explain: all were taken" "j['taken'] == 6400 and j['open'] == j['withdrawn'] == 0"
expect "explain: one interrupt" 0 explain --irq 40 -n 1 "$burst"
has "explain: of 100 waits" out '^waits: 100 (100 taken'
expect "explain: at a time" 0 explain --at 2230ms --json -n 10000 "$burst"
json "explain: they waited then" "j['waits'] and all(w['raised_ns'] <= 2230000000 < w['end_ns']
	for w in j['waits'])"
expect "explain: at a time without a wait" 0 explain --at 1h "$burst"
has "explain: says so" out '^no wait at this time$'
expect "explain: a vCPU that is not there" 0 explain --vcpu 7 "$burst"
has "explain: nothing waited" out '^no wait$'
expect "explain: no recording" 3 explain "$0"
expect "explain: a cut recording" 0 explain "$rec/7.2-sgi.vgr"
head -c 60000 "$rec/7.2-sgi.vgr" >"$dir/cut.vgr"
expect "explain: what is there of it" 0 explain "$dir/cut.vgr"
has "explain: warns" err 'the end of the file is missing'

# the records that prove it
expect "dump: by number" 0 dump --json --records 130-131 "$starving"
if [ "$(wc -l <"$dir/out")" -eq 2 ]; then ok "dump: two records"; else not_ok "dump: two records"; fi
has "dump: the raise" out '"n":130,"type":"inject".*"intid":36'
expect "dump: numbers beyond the end" 0 dump --records 1000000 "$small"

# the bound
expect "replay: the bound is explained" 0 replay --explain bound.mi
has "replay: its definition" out 'no policy\|any policy'
expect "replay: JSON has it" 0 replay --json "$burst"
json "replay: no policy goes below it" "all(c['bound']['mi'] <= c['mi']['total'] and
	c['bound']['mi'] <= c['bound']['lr_exits'] <= c['exits']['mi'] + c['exits']['dir']
	for c in j['cells'])"
json "replay: it says something, and less with more LRs" "(lambda b: b == sorted(b, reverse=True)
	and b[-1] > 0)([c['bound']['mi'] for c in j['cells'][1:]])"
json "replay: not known of the recording" "j['recorded']['bound'] is None"

echo "1..$n"
