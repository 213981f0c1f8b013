#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# vgicsim check --invariants on the command line. Usage: test_invariants.sh VGICSIM RECORDINGS-DIRECTORY. Speaks TAP.
set -u

tool=$1
recordings=$2
sub=check
. "$(dirname "$0")/../support/tap.sh"

healthy=$recordings/7.2-remote-dir.vgr
lost=$recordings/findings/7.2-lost-dir.vgr
old=$recordings/6.12-ackall.vgr

expect "no file is a usage error" 2 --invariants
expect "an absent file" 3 --invariants "$dir/absent.vgr"
expect "--strict alone is a usage error" 2 --strict "$healthy"
has "that says what it goes with" err 'go with --invariants'
expect "an unknown policy" 2 --invariants -P linux-9.9 "$healthy"
head -c 3000 "$healthy" >"$dir/cut.vgr"
expect "a cut recording without a whole flush is no success" 3 --invariants "$dir/cut.vgr"

expect "a healthy recording" 0 --invariants "$healthy"
has "says so" out '  0 violations'
has "names every rule" out '^  18 progress'
expect "a lost deactivation" 1 --invariants "$lost"
has "is named with record, rule and interrupt" out '^sync record 432, vCPU 0, rule 15a, interrupt 37: '
has "and with the DIR that was in vain" out 'cause: record 428'
has "and the record is printed" out 'ap_list: 41'
expect "several files: the worst decides" 1 --invariants "$healthy" "$lost"
has "all are read" out '7.2-lost-dir.vgr: kernel 7.2.13'
has "the first, too" out '7.2-remote-dir.vgr: kernel 7.2.13'
expect "quietly" 1 --invariants -q "$lost"
[ ! -s "$dir/out" ]
result $? "prints nothing"

expect "as JSON" 1 --invariants --json "$lost"
python3 - "$dir/out" <<'EOP' 2>>"$dir/err"
import json, sys
d = json.load(open(sys.argv[1]))
assert d['ok'] is False and d['violations_total'] == 1 and len(d['rules']) == 18
v = d['violations'][0]
assert (v['rule'], v['part'], v['intid'], v['record'], v['cause']) == (15, 'a', 37, 432, 428)
EOP
result $? "holds rule, interrupt, record and cause"

expect "6.12 keeps its own promises" 0 --invariants "$old"
expect "judged by the newest it does not" 1 --invariants --strict -n 1 "$old"
has "its failure has a name" out '\[L1\]'
has "and the switch that the newest has" out '(sort_pending_first=1)'
has "says that there are more" out 'rule 7: and [0-9]* more'
expect "another kernel's promises" 1 --invariants -q -P linux-7.3 "$old"

"$tool" check --invariants "$lost" >/dev/full 2>"$dir/err"
[ $? -eq 5 ]
result $? "a full disk"
expect "without --invariants it is the file that is checked" 0 "$healthy" "$lost"
echo "1..$n"
