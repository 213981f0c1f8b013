#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vgicsim sweep: the results of replay, from any number of threads, and a database that is
# interrupted, shared, or somebody else's. Speaks TAP.
# Usage: test_sweep.sh VGICSIM WORKLOADS GICV2.vgr BARE.vgw PLUGIN.so
set -u

tool=$1
rec=$2/recordings
profile=$2/profiles/cortex-a76-emulated-7.2.ini
gicv2=$3
bare=$4
plugin=$5
. "$(dirname "$0")/../support/tap.sh"

# What replay says of the same, but for the time lines, which a sweep does not keep.
cat >"$dir/same.py" <<'PY'
import json, sys
swept = json.load(open(sys.argv[1]))
assert swept["format"] == "vgicsim-sweep" and swept["version"] == 1
replayed = [json.load(open(path)) for path in sys.argv[2:]]
for result in replayed:
    for cell in result["cells"] + [result["recorded"]]:
        if cell:
            cell["timeline"] = None
text = lambda o: json.dumps(o)
assert len(swept["results"]) == len(replayed), "number of results"
for a, b in zip(swept["results"], replayed):
    assert text(a) == text(b), "not what replay says of " + b["input"]["file"]
PY

# ---- the same results as replay ----
burst=$rec/7.2-burst.vgr ackall=$rec/7.2-ackall.vgr
"$tool" derive -q -o "$dir/ackall.vgw" "$ackall"
expect "two policies, a recording and a workload" 0 sweep -l 1-4 -P linux-6.12,auto -q -T 2 \
	-o "$dir/swept" "$burst" "$dir/ackall.vgw"
for file in "$burst" "$dir/ackall.vgw"; do
	for policy in linux-6.12 auto; do
		"$tool" replay -l 1-4 -P $policy -q -o "$dir/$(basename "$file").$policy" "$file"
	done
done
check "the results are those of replay" python3 "$dir/same.py" "$dir/swept" \
	"$dir/7.2-burst.vgr.linux-6.12" "$dir/7.2-burst.vgr.auto" \
	"$dir/ackall.vgw.linux-6.12" "$dir/ackall.vgw.auto"
expect "every condition" 0 sweep -l 3-5 --profile "$profile" --arrivals dependent --seed 7 \
	--mi-delay 2us -q -o "$dir/swept" "$ackall"
"$tool" replay -l 3-5 --profile "$profile" --arrivals dependent --seed 7 --mi-delay 2us -q \
	-o "$dir/one" "$ackall"
check "it reaches the replay" python3 "$dir/same.py" "$dir/swept" "$dir/one"
expect "a workload without recorded numbers" 0 sweep -l 2-3 -q -o "$dir/swept" "$bare"
"$tool" replay -l 2-3 -q -o "$dir/one" "$bare"
check "gives what replay gives" python3 "$dir/same.py" "$dir/swept" "$dir/one"
expect "GICv2" 0 sweep -l 2-4 -q -o "$dir/swept" "$gicv2"
"$tool" replay -l 2-4 -q -o "$dir/one" "$gicv2"
check "gives what replay gives there, too" python3 "$dir/same.py" "$dir/swept" "$dir/one"

# ---- LR counts that need no replay of their own ----
# An LR count alone is replayed; after ones that were enough for every list it need not be.
cat >"$dir/cells.py" <<'PY'
import json, sys
all, alone = (json.load(open(path))["cells"] for path in sys.argv[1:])
assert len(alone) == 1
wanted = [cell for cell in all if cell["nr_lr"] == alone[0]["nr_lr"]]
assert len(wanted) == 1 and json.dumps(wanted[0]) == json.dumps(alone[0])
PY
for file in 7.2-linux 7.2-sgi 6.12-timer; do
	"$tool" replay -q -T 2 -o "$dir/all" "$rec/$file.vgr"
	for lrs in 3 4 5 15 16; do
		"$tool" replay -q -l $lrs -o "$dir/alone" "$rec/$file.vgr"
		check "$file: $lrs LRs after fewer are as alone" python3 "$dir/cells.py" "$dir/all" "$dir/alone"
	done
done
"$tool" sweep -q -T 1 -o "$dir/swept" "$rec/7.2-sgi.vgr"
"$tool" replay -q -T 1 -o "$dir/one" "$rec/7.2-sgi.vgr"
check "in a sweep, too" python3 "$dir/same.py" "$dir/swept" "$dir/one"

# ---- any number of threads ----
many="$burst $ackall $rec/7.2-sgi.vgr $rec/6.12-ackall.vgr"
for threads in 1 2 5; do
	# shellcheck disable=SC2086
	"$tool" sweep -l 1-6 -P linux-6.12,linux-7.3 -T $threads --json $many >"$dir/threads.$threads" 2>"$dir/err"
done
check "two threads: the same bytes" cmp "$dir/threads.1" "$dir/threads.2"
check "five threads: the same bytes" cmp "$dir/threads.1" "$dir/threads.5"
# One LR lives-locks there; that takes no result from the others.
expect "a live-lock" 0 sweep -l 1-3 -T 1 "$burst"
has "is an outcome" out '^linux-7.2  *1  livelock .* no latencies$'
has "like any other" out '^linux-7.2  *2  completed '

# ---- what is swept ----
expect "all policies" 0 sweep -l 4 -P all "$ackall"
check "each once" [ "$(grep -cE '^(linux-[67]|posted)' "$dir/out")" -eq "$("$tool" policies | grep -cE '^ *(linux-|posted)')" ]
expect "all policies with another switch" 0 sweep -l 4 -P all+replay=whole "$ackall"
has "have it in their names" out '^linux-6.12+replay=whole'
expect "the same policy twice" 0 sweep -l 4 -P auto -P linux-7.2,auto "$ackall"
check "is one" [ "$(grep -c '^linux-7.2' "$dir/out")" -eq 1 ]
expect "with and without a profile" 0 sweep -l 4 --profile recorded --profile "$profile" "$ackall"
check "are two" [ "$(grep -c '^linux-7.2  ' "$dir/out")" -eq 2 ]
has "the second names it" out "costs and machine of $profile"
expect "values" 0 sweep -l 2-3 --csv "$ackall" "$burst"
cat >"$dir/values.py" <<'PY'
import csv, sys
lines = list(csv.reader(open(sys.argv[1])))
assert len(lines) == 5 and len({len(l) for l in lines}) == 1
row = dict(zip(lines[0], lines[1]))
assert row["nr_lr"] == "2" and row["outcome"] == "completed"
for name, value in row.items():
    if not any(p in name for p in ("p99_9", "p99_99", "detail", "profile")):
        assert value != "", name
PY
check "have a column each" python3 "$dir/values.py" "$dir/out"

# ---- errors ----
expect "unknown policy" 2 sweep -P linux-9 "$ackall"
one_line "unknown policy"
expect "no policy between commas" 2 sweep -P linux-7.2,, "$ackall"
one_line "no policy between commas"
expect "JSON or CSV" 2 sweep --json --csv "$ackall"
one_line "JSON or CSV"
expect "no profile" 3 sweep --profile "$dir/none.ini" "$ackall"
one_line "no profile"
expect "a file that is not there" 3 sweep -l 4 "$dir/none.vgr" "$ackall"
one_line "a file that is not there"
has "does not stop the others" out '^linux-7.2 .*completed'
expect "a profile of another GIC" 3 sweep -l 4 --profile "$profile" --profile recorded "$gicv2"
one_line "a profile of another GIC"
has "does not stop the costs of the recording" out 'completed'
expect "an output that cannot be" 5 sweep -l 4 -o /nonexistent/x "$ackall"
one_line "an output that cannot be"
expect "no file" 2 sweep
head -c 60000 "$burst" >"$dir/cut.vgr"
expect "a cut recording" 0 sweep -l 4 -q -o "$dir/swept" "$dir/cut.vgr"
"$tool" replay -l 4 -q -o "$dir/one" "$dir/cut.vgr" 2>"$dir/err"
check "is taken as far as it goes" python3 "$dir/same.py" "$dir/swept" "$dir/one"

# ---- progress ----
if [ "$(script -qec 'echo here' /dev/null </dev/null 2>&1 | tr -d '\r')" = here ]; then
	script -qec "$tool sweep -l 2-3 -T 1 -q $ackall" /dev/null </dev/null >"$dir/out" 2>&1
	has "on a terminal it says how far it is" out 'of about 3 cells'
else
	ok "on a terminal it says how far it is # SKIP no terminal to be had"
fi

# ---- the database ----
"$tool" sweep -l 4 --db "$dir/a.db" "$ackall" >"$dir/out" 2>"$dir/err"
if grep -q 'without SQLite' "$dir/err"; then
	one_line "a tool without databases"
	echo "1..$n"
	exit 0
fi
rm -f "$dir/a.db"
grid="-l 1-6 -P linux-6.12,linux-7.3 -T 2 --json $many"
user_time() {
	# shellcheck disable=SC2086
	("$tool" sweep --db "$dir/a.db" $grid >"$dir/out" 2>"$dir/err"; times) | tail -n 1 | sed 's/m/ /;s/s.*//' |
		awk '{ print $1 * 60 + $2 }'
}
first=$(user_time)
check "with a database: the same bytes" cmp "$dir/threads.1" "$dir/out"
second=$(user_time)
check "from the database: the same bytes" cmp "$dir/threads.1" "$dir/out"
check "and next to no time ($second s after $first s)" awk "BEGIN { exit !($second < $first / 3) }"
sql() {
	sqlite3 "$1" "$2"
}
check "one row a cell" [ "$(sql "$dir/a.db" 'SELECT count(*) FROM cells WHERE nr_lr > 0')" -eq 56 ]
check "with what it is the result of" [ "$(sql "$dir/a.db" "SELECT count(*) FROM cells WHERE file LIKE '%7.2-burst.vgr' AND policy = 'linux-7.3' AND nr_lr = 2 AND mi = json_extract(cell, '\$.mi.total') AND raise_to_lr_p99_low_ns = json_extract(cell, '\$.latency.raise_to_lr.percentiles.p99.low_ns')")" -eq 1 ]
cp "$burst" "$dir/renamed.vgr"
expect "the same content under another name" 0 sweep -l 1-6 -P linux-7.3 --db "$dir/a.db" -q -o "$dir/swept" "$dir/renamed.vgr"
check "adds no row" [ "$(sql "$dir/a.db" 'SELECT count(*) FROM cells WHERE nr_lr > 0')" -eq 56 ]
has "bears that name" swept '"file":"'"$dir"'/renamed.vgr"'
expect "another seed" 0 sweep -l 4 --seed 2 --db "$dir/a.db" -q "$ackall"
check "is another cell" [ "$(sql "$dir/a.db" 'SELECT count(*) FROM cells WHERE nr_lr > 0')" -eq 58 ]
expect "a cut recording" 0 sweep -l 4 -P linux-7.3 --db "$dir/a.db" -q -o "$dir/swept" "$dir/cut.vgr"
"$tool" replay -l 4 -P linux-7.3 -q -o "$dir/one" "$dir/cut.vgr" 2>"$dir/err"
check "is not the whole one" python3 "$dir/same.py" "$dir/swept" "$dir/one"
cp "$plugin" "$dir/plugin.so"
expect "a policy of one's own" 0 sweep -l 4 -P "$dir/plugin.so" --db "$dir/a.db" -q "$ackall"
rows=$(sql "$dir/a.db" 'SELECT count(*) FROM cells WHERE nr_lr > 0')
printf x >>"$dir/plugin.so"
expect "the same, compiled again" 0 sweep -l 4 -P "$dir/plugin.so" --db "$dir/a.db" -q "$ackall"
check "is another policy" [ "$(sql "$dir/a.db" 'SELECT count(*) FROM cells WHERE nr_lr > 0')" -eq $((rows + 2)) ]
sql "$dir/a.db" "UPDATE cells SET cell = '{\"nr_lr\":3' WHERE nr_lr = 3 AND file LIKE '%7.2-ackall.vgr' AND policy = 'linux-7.3'"
expect "a damaged row" 3 sweep -l 3-4 -P linux-7.3 --db "$dir/a.db" -q -o "$dir/swept" "$ackall"
one_line "a damaged row"

# Killed at any time, it goes on where it was: first with some cells, then at many moments.
cells_of() {
	sql "$1" 'SELECT count(*) FROM cells WHERE nr_lr > 0' 2>/dev/null || echo 0
}
# shellcheck disable=SC2086
"$tool" sweep --db "$dir/k.db" $grid -T 1 >"$dir/out" 2>"$dir/err" &
pid=$!
while [ "$(cells_of "$dir/k.db")" -lt 3 ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
some=$(cells_of "$dir/k.db")
check "killed with $some cells of 56" [ "$some" -ge 3 -a "$some" -lt 56 ]
sql "$dir/k.db" 'SELECT rowid, policy, nr_lr FROM cells ORDER BY rowid' >"$dir/rows"
last=$(sql "$dir/k.db" 'SELECT max(rowid) FROM cells')
tries=0
while [ $tries -lt 12 ]; do
	tries=$((tries + 1))
	# shellcheck disable=SC2086
	"$tool" sweep --db "$dir/k.db" $grid >"$dir/out" 2>"$dir/err" &
	pid=$!
	sleep "0.0$tries"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	if [ "$(sql "$dir/k.db" 'PRAGMA integrity_check' 2>&1)" != ok ]; then
		not_ok "killed: the database is whole"
	fi
done
# shellcheck disable=SC2086
"$tool" sweep --db "$dir/k.db" $grid >"$dir/out" 2>"$dir/err"
check "killed $tries times more: the same bytes in the end" cmp "$dir/threads.1" "$dir/out"
sql "$dir/k.db" "SELECT rowid, policy, nr_lr FROM cells WHERE rowid <= $last ORDER BY rowid" >"$dir/rows.2"
check "the cells it had were not replayed again" cmp "$dir/rows" "$dir/rows.2"

# Two at the same time.
# shellcheck disable=SC2086
"$tool" sweep --db "$dir/two.db" $grid >"$dir/out.1" 2>"$dir/err" &
first=$!
# shellcheck disable=SC2086
"$tool" sweep --db "$dir/two.db" $grid >"$dir/out.2" 2>"$dir/err.2"
second=$?
wait $first
check "two at the same time: both end well" [ $? -eq 0 -a $second -eq 0 ]
check "the first with the same bytes" cmp "$dir/threads.1" "$dir/out.1"
check "the second with the same bytes" cmp "$dir/threads.1" "$dir/out.2"
check "no cell twice" [ "$(sql "$dir/two.db" 'SELECT count(*) FROM cells WHERE nr_lr > 0')" -eq 56 ]

check "nobody is at it any more" [ "$(sql "$dir/two.db" 'SELECT count(*) FROM claims')" -eq 0 ]

# What another process is at is waited for, as long as that runs.
sleep 60 &
busy=$!
keys='input_hash, version, build, read_as, policy, policy_hash, profile_hash, arrivals, estimator, seed, mi_delay_ns, nr_lr'
sql "$dir/two.db" "INSERT INTO claims SELECT $keys, '$(cat /proc/sys/kernel/random/boot_id) $(readlink /proc/self/ns/pid)',
	$busy, $(sed 's/.*) //' /proc/$busy/stat | cut -d ' ' -f 20), 0 FROM cells WHERE nr_lr = 3;
	DELETE FROM cells WHERE nr_lr IN (3, 4)"
# shellcheck disable=SC2086
"$tool" sweep --db "$dir/two.db" $grid -T 1 >"$dir/out" 2>"$dir/err" &
pid=$!
tries=0
while [ "$(cells_of "$dir/two.db")" -lt 48 ] && [ $tries -lt 600 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
sleep 1
check "the other cells come first" [ "$(cells_of "$dir/two.db")" -eq 48 ]
check "and it waits" kill -0 $pid
kill $busy
wait $pid
check "for one that was killed it does not" [ $? -eq 0 ]
check "with the same bytes in the end" cmp "$dir/threads.1" "$dir/out"

sql "$dir/two.db" 'PRAGMA user_version = 7'
expect "a database of another version" 3 sweep -l 4 --db "$dir/two.db" "$ackall"
one_line "a database of another version"
has "which it names" err 'version 7, not 1'
expect "a recording for a database" 3 sweep -l 4 --db "$dir/renamed.vgr" "$ackall"
one_line "a recording for a database"
check "it is left alone" cmp "$burst" "$dir/renamed.vgr"
expect "a database that cannot be" 3 sweep -l 4 --db /nonexistent/x.db "$ackall"
one_line "a database that cannot be"

echo "1..$n"
