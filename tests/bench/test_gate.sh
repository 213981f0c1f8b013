#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The gate on instruction counts must fail when a count is off.
# Usage: test_gate.sh GATE VGICSIM RECORDINGS-FOLDER. Speaks TAP.
set -u

gate=$1
tool=$2
recordings=$3
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

if ! command -v valgrind >/dev/null 2>&1; then
	echo "1..0 # SKIP valgrind is not installed"
	exit 0
fi

# run NAME STATUS TABLE
run() {
	n=$((n + 1))
	"$gate" --table "$3" --only check "$tool" "$recordings" >"$dir/out" 2>&1
	got=$?
	if [ $got -eq "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1: status $got, not $2"
		sed 's/^/# /' "$dir/out"
	fi
}

says() {
	n=$((n + 1))
	if grep -q -- "$2" "$dir/out"; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}

# scale FACTOR: the table with its count so many times as large.
scale() {
	awk -v f="$1" '$1 == "check" { $3 *= f } { print }' "$dir/table" >"$dir/scaled"
}

"$gate" --update --table "$dir/table" --only check "$tool" "$recordings" >"$dir/out" 2>&1
says "counted" "^ok 1 - check .* instructions an item"
run "the same counts" 0 "$dir/table"
scale 1.02
run "2 % fewer than the table says" 0 "$dir/scaled"
scale 1.04
run "4 % fewer" 1 "$dir/scaled"
says "named" "^not ok 1 - check"
scale 0.96
run "4 % more" 1 "$dir/scaled"
sed '/^check /d' "$dir/table" >"$dir/scaled"
run "not in the table" 1 "$dir/scaled"
sed 's/^compiler .*/compiler tcc 0.9/' "$dir/table" >"$dir/scaled"
run "another compiler" 0 "$dir/scaled"
says "is a skip, and said" "# SKIP the table is of compiler 'tcc 0.9'"
echo "1..$n"
