#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# verify --policy auto finds the policy of recordings that do not say of which kernel they are, and
# the neighbours of that policy are found out, with the switch. Usage: test_auto.sh VGICSIM SYNTHETIC
set -u

tool=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

result() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		head -n 20 "$dir/out" | sed 's/^/# /'
	fi
}

"$2" "$dir" nameless || exit 1
for file in "$dir"/*.vgr; do
	name=$(basename "$file" .vgr)
	case $name in
	6.12.*) want=linux-6.12 neighbours=linux-6.19 ;;
	6.19.*) want=linux-6.19 neighbours='linux-6.12 linux-7.0' ;;
	7.0.*) want=linux-7.0 neighbours='linux-6.19 linux-7.2' ;;
	7.2.*) want=linux-7.2 neighbours='linux-7.0 linux-7.3' ;;
	*) want=linux-7.3 neighbours=linux-7.2 ;;
	esac
	"$tool" verify --json "$file" >"$dir/out" 2>&1 && grep -q "\"policy\": \"$want\"" "$dir/out" &&
		[ "$(sed -n '/"fits"/,/]/p' "$dir/out" | grep -c linux-)" -eq 1 ]
	result $? "$name is $want and no other"
	for policy in $neighbours; do
		"$tool" verify -n 1 -P "$policy" "$file" >"$dir/out" 2>&1
		[ $? -eq 1 ] && grep -q 'would agree (' "$dir/out"
		result $? "$name is not $policy, for one switch"
	done
done
echo "1..$n"
