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
