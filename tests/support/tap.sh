# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Tests of the command line that speak TAP. The test sets $tool before it reads this file, and
# $sub if all its calls are of one sub-command; it has the folder $dir to itself.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

ok() {
	n=$((n + 1))
	echo "ok $n - $1"
}

# What the last call said goes with it.
not_ok() {
	n=$((n + 1))
	echo "not ok $n - $1"
	for said in "$dir/out" "$dir/err"; do
		[ ! -f "$said" ] || head -n 40 "$said" | cut -c 1-300 | sed 's/^/# /'
	done
}

# result STATUS NAME
result() {
	if [ "$1" -eq 0 ]; then ok "$2"; else not_ok "$2"; fi
}

# check NAME COMMAND...: it succeeds.
check() {
	name=$1
	shift
	if "$@" >"$dir/why" 2>&1; then ok "$name"; else not_ok "$name: $(tail -n 1 "$dir/why")"; fi
}

# expect NAME STATUS ARGUMENT...: the tool ends so; what it printed is in $dir/out and $dir/err.
expect() {
	name=$1 want=$2
	shift 2
	"$tool" ${sub:+"$sub"} "$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	if [ $got -eq "$want" ]; then ok "$name"; else not_ok "$name: status $got, not $want"; fi
}

# has NAME out|err PATTERN
has() {
	if grep -q -- "$3" "$dir/$2"; then ok "$1"; else not_ok "$1: no '$3'"; fi
}

# one_line NAME [PATTERN]: the error is one line, and says this.
one_line() {
	if [ "$(wc -l <"$dir/err")" -eq 1 ] && grep -q -- "^vgicsim.*${2:-}" "$dir/err"; then
		ok "$1: in one line"
	else
		not_ok "$1: in one line"
	fi
}

# json NAME EXPRESSION: true of what was printed, as j, in Python.
json() {
	if python3 -c "
import json, sys
j = json.load(open(sys.argv[1]))
assert ($2)
" "$dir/out" 2>>"$dir/err"; then ok "$1"; else not_ok "$1"; fi
}
