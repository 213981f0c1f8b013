# SPDX-License-Identifier: GPL-2.0-only
# Shared by the scripts of this project; to be sourced by bash.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
prog=$(basename "$0")

# Everything downloaded is kept here, so that the next run needs no network.
cache=${VGICSIM_CACHE:-$top/build/cache}
arm64_dir=${VGICSIM_ARM64:-$top/build/arm64}

say() { printf '%s\n' "$*" >&2; }
warn() { printf '%s: %s\n' "$prog" "$*" >&2; }
# die STATUS TEXT...
die() { local status=$1; shift; warn "$@"; exit "$status"; }

# quote ARG...: the arguments as one line that any POSIX shell reads back unchanged.
quote()
{
	local arg sep=
	for arg; do
		printf "%s'%s'" "$sep" "${arg//\'/\'\\\'\'}"
		sep=' '
	done
}

# Steps of a long script: one line each with its time, the output in a log of its own.
logs=$top/build/logs
steps=0
steps_total=?

# step TITLE COMMAND...: gives the command's status; on failure the end of its output is shown.
step()
{
	local title=$1 log started=$SECONDS status=0; shift
	steps=$((steps + 1))
	mkdir -p "$logs"
	log=$logs/$(printf '%s-%02d-%s.log' "$prog" "$steps" "$(tr -cs 'a-zA-Z0-9\n' - <<<"$title")")
	printf '[%d/%s] %s ... ' "$steps" "$steps_total" "$title"
	"$@" > "$log" 2>&1 < /dev/null || status=$?
	if [ $status -eq 0 ]; then
		printf 'done (%d s)\n' $((SECONDS - started))
		return 0
	fi
	printf 'FAILED (%d s)\n' $((SECONDS - started))
	tail -n "${step_tail:-25}" "$log" | sed 's/^/    /'
	printf '    whole log: %s\n' "$log"
	return $status
}

# build DIR OPTION...: configures a build directory once, then builds it.
build()
{
	local dir=$1; shift
	[ -e "$dir/build.ninja" ] || meson setup "$@" "$dir" "$top" || return
	ninja -C "$dir"
}

is_arm64() { [ "$(uname -m)" = aarch64 ]; }

build_plain() { build "$top/build"; }

# The arm64 tool for the virtual host, static: the host holds no libraries.
build_arm64()
{
	local cross
	cross=$("$top/scripts/fetch" sysroot) || return
	build "$arm64_dir" --cross-file "$cross" -Dtests=false -Dman=disabled -Dbpf=enabled -Dsqlite=disabled
}

# live_host: says why this machine is no live KVM host, or nothing if it is one.
why_no_live_host()
{
	if ! is_arm64; then echo "this machine is $(uname -m)"
	elif ! [ -c /dev/kvm ]; then echo "/dev/kvm is missing"
	elif ! [ -r /dev/kvm ] || [ "$(id -u)" -ne 0 ]; then echo "recording here needs root"
	elif ! [ -r /sys/kernel/btf/vmlinux ]; then echo "this kernel has no BTF"
	fi
}
