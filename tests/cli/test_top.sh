#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# test_top.sh VGICSIM STAT.ndjson NCURSES: the screen of top, in terminals of tmux. STAT.ndjson was written by
# 'vgicsim stat --json 700ms' on a virtual host: three intervals of three guests.
# shellcheck disable=SC2034,SC2154
tool=$1 ndjson=$2 ncurses=$3
# shellcheck source=../support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
tool=$(realpath "$tool")

# Without a terminal.
sub=top
expect "no terminal" 2 -i "$ndjson"
if [ "$ncurses" = true ]; then one_line "no terminal" "no terminal"; fi
expect "no interval" 2 -i "$ndjson" soon
expect "a file and a process" 2 -i "$ndjson" -p 1
expect "no such column" 2 --sort nothing
expect "no file" 3 -i "$dir/none"
one_line "no file" "No such file"
expect "a folder" 3 -i "$dir"

if [ "$ncurses" != true ]; then
	echo "ok $((n + 1)) - the screen # SKIP built without ncurses"
	echo "1..$((n + 1))"
	exit
fi
if ! command -v tmux >/dev/null; then
	if [ "${CI:-}" = true ]; then
		not_ok "tmux is there"
	else
		echo "ok $((n + 1)) - the screen # SKIP no tmux"
		n=$((n + 1))
	fi
	echo "1..$n"
	exit
fi

export TMUX_TMPDIR=$dir
mux() { tmux -L top -f /dev/null "$@" 2>>"$dir/err"; }
trap 'mux kill-server; rm -rf "$dir"' EXIT

# Keeps the server while one terminal follows another.
mux new-session -d -s keeper 'sleep 1000'

# start SIZE TERM ARGUMENT...: top in a terminal of its own; what it says at its end comes after it.
start()
{
	local size=$1 term=$2
	shift 2
	mux kill-session -t top
	rm -f "$dir/ended" "$dir/after"
	mux new-session -d -s top -x "${size%x*}" -y "${size#*x}" "stty -a > $dir/before; TERM=$term $environment $tool top $*
		echo \"ended \$?\" > $dir/ended; stty -a > $dir/after; sleep 100"
}
environment=

# sees NAME PATTERN: the screen comes to show it.
sees()
{
	local tries=0
	while mux capture-pane -t top -p >"$dir/out"; [ $tries -lt 60 ]; do
		if grep -q -- "$2" "$dir/out"; then ok "$1"; return; fi
		tries=$((tries + 1))
		sleep 0.1
	done
	not_ok "$1: no '$2'"
}

# fits NAME WIDTH HEIGHT: nothing is wider than the screen, and the last line is there.
fits()
{
	if [ "$(wc -L <"$dir/out")" -le "$2" ] && [ "$(wc -l <"$dir/out")" -le "$3" ] &&
	   tail -n 1 "$dir/out" | grep -q '^q quit'; then ok "$1"; else not_ok "$1"; fi
}

# gone NAME STATUS: it ends, so, and the terminal is as it was.
gone()
{
	local tries=0
	while [ ! -s "$dir/after" ] && [ $tries -lt 60 ]; do tries=$((tries + 1)); sleep 0.1; done
	check "$1: ended $2" grep -qx "ended $2" "$dir/ended"
	check "$1: the terminal is as it was" cmp "$dir/before" "$dir/after"
}

start 80x24 xterm -i "$ndjson" 100ms
sees "80x24: all has been shown" 'END'
cp "$dir/out" "$dir/end"
sees "80x24: columns" '^VM:VCPU COMMAND *EXITS *MI *DIR *SGI *WFI *MMIO *IRQ LRS OVF% OUT% *P99$'
sees "80x24: one that has a lot of DIRs" '^0:0 *vgic-gue *[0-9]* *[0-9]* *[1-9][0-9]* '
fits "80x24: fits" 80 24
mux send-keys -t top Down Down
mux send-keys -t top h
sees "histogram: raise to LR, of the third" '^1:0 raise to LR: p50 [0-9.]*[mu]s p99'
sees "histogram: bars" '^ *<[0-9.]*[mu]s *[0-9]* *[0-9]*% ##'
fits "histogram: fits" 80 24
mux send-keys -t top Enter
sees "histogram: LRs in use" '^1:0 entries by LRs in use: 3\.'
mux send-keys -t top Enter
sees "histogram: left outside" '^1:0 entries by interrupts left outside'
mux send-keys -t top Enter
sees "histogram: time by exit" '^MI by source: .*U [0-9]'
mux resize-window -t top -x 40 -y 12
sees "40x12: the help line is shorter" '^q quit  < > sort  enter hist'
sees "40x12: columns that fit" '^VM:VCPU  EXITS *MI *DIR *SGI *WFI$'
fits "40x12: fits" 40 12
# Smaller than anything could be shown in, and back.
mux resize-window -t top -x 20 -y 4
sleep 0.2
mux resize-window -t top -x 1 -y 1
sleep 0.3
mux resize-window -t top -x 80 -y 24
sees "80x24 again" 'P99$'
sees "80x24 again: the pane" '^MI by source: .*U [0-9]'
mux send-keys -t top Enter
mux send-keys -t top '>' '>'
# The first line of the table, wherever it was sorted from.
sees "sorted by DIR" '^0:0 '
mux send-keys -t top r
sleep 0.3
mux capture-pane -t top -p >"$dir/out"
if [ "$(sed -n 4p "$dir/out" | cut -c 1-3)" != 0:0 ] && [ "$(sed -n 6p "$dir/out" | cut -c 1-3)" = 0:0 ]; then
	ok "the other way round"
else
	not_ok "the other way round"
fi
mux send-keys -t top a
sees "all since the beginning" ' all [0-9.]* s'
mux send-keys -t top '?'
sees "help" '^space *pause'
mux send-keys -t top x
sees "and back" '^VM:VCPU'
mux send-keys -t top q
gone "q" 0

start 80x24 screen -i "$ndjson" 1s
sees "screen: the first interval" ' vCPUs, last '
mux send-keys -t top Space
sees "pause" 'PAUSED'
cp "$dir/out" "$dir/paused"
sleep 1.5
mux capture-pane -t top -p >"$dir/out"
check "pause: nothing changes" cmp "$dir/out" "$dir/paused"
mux send-keys -t top Space
sees "and on" 'END'
mux send-keys -t top C-c
gone "^C" 0

environment=NO_COLOR=1
start 80x24 vt100 "-i - < $ndjson"
sees "vt100: a redirected file" 'END'
mux send-keys -t top Enter
sees "vt100: keys from the terminal" 'raise to LR'
kill -TERM "$(pgrep -P "$(mux list-panes -t top -F '#{pane_pid}')")"
gone "SIGTERM" 0

# What was counted without intervals is one.
grep -vE '"type":"(interval|tick)"' "$ndjson" >"$dir/totals"
start 80x24 xterm -i "$dir/totals"
sees "totals alone" '^[02]:0 .* [1-9]'
sees "totals alone: at no time" '--:--:--'
mux send-keys -t top q
gone "totals alone: q" 0

# A pipe that goes on, and one that is no such thing.
mkfifo "$dir/pipe"
start 80x24 xterm -i "$dir/pipe"
exec 9>"$dir/pipe"
sees "a pipe: nothing yet" 'No vCPU has run yet'
head -n 8 "$ndjson" >&9
sees "a pipe: the first interval" '^[02]:0 '
printf '{"type":"interval","vm":-1}\n' >&9
gone "a pipe with something else" 3
mux capture-pane -t top -p >"$dir/out"
has "a pipe with something else: says where" out "line 9: not what"
exec 9>&-
# ncurses keeps what it had begun to make.
environment=ASAN_OPTIONS=detect_leaks=0
start 80x24 no-such-terminal -i "$ndjson"
gone "no such terminal" 4
mux capture-pane -t top -p >"$dir/out"
has "no such terminal: says so" out "no-such-terminal: the terminal cannot be used"
echo "1..$n"
