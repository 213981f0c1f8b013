#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# test_completion.sh VGICSIM: what bash, zsh and fish complete, asked of the shells themselves.
# shellcheck disable=SC2034,SC2154,SC2016
tool=$1
sub=completion
# shellcheck source=../support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

for shell in bash zsh fish; do
	expect "$shell" 0 $shell
	cp "$dir/out" "$dir/$shell"
	check "$shell: it is a script" $shell -n "$dir/$shell"
done
expect "no such shell" 2 csh
one_line "no such shell"
expect "no shell" 2

# of_bash WORD...: what bash offers for the last word.
of_bash() {
	bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vgicsim; printf "%s\n" "${COMPREPLY[@]}"' \
		"$dir/bash" vgicsim "$@" >"$dir/out" 2>"$dir/err"
}

# of_fish LINE: the same of fish.
of_fish() {
	XDG_CONFIG_HOME=$dir HOME=$dir fish -c "source $dir/fish; complete -C '$1'" 2>"$dir/err" |
		cut -f 1 >"$dir/out"
}

# offers NAME WORD...: exactly these.
offers() {
	name=$1
	shift
	printf '%s\n' "$@" | sort >"$dir/want"
	sort "$dir/out" >"$dir/got"
	check "$name" cmp "$dir/want" "$dir/got"
}

of_bash exp
offers "bash: a command" explain export
of_bash export --t
offers "bash: an option" --threads --to
of_bash export --to ''
offers "bash: the values of an option" csv ndjson perfetto trace.dat
of_bash export --to = p
offers "bash: behind an equals sign" perfetto
of_bash export --to =
offers "bash: right behind an equals sign" csv ndjson perfetto trace.dat
of_bash help repl
offers "bash: of help" replay
: >"$dir/here.vgr"
(cd "$dir" && of_bash info he && cp out out2) && cp "$dir/out2" "$dir/out"
offers "bash: files" here.vgr
of_bash replay -l 1
offers "bash: nothing where anything may stand" ''
of_bash record -- vgic
offers "bash: nothing in another one's command" ''

of_fish 'vgicsim exp'
offers "fish: a command" explain export
of_fish 'vgicsim export --to '
offers "fish: the values of an option" csv ndjson perfetto trace.dat
of_fish 'vgicsim export --t'
offers "fish: an option" --threads --to

# zsh's own functions need a terminal: what they are told is looked at.
zsh -f -c '
_describe() { print -rl -- ${(P)2} }
_arguments() { print -rl -- "$@" }
words=(vgicsim export) CURRENT=3
. "$0"' "$dir/zsh" >"$dir/out" 2>"$dir/err"
has "zsh: an option with its values" out '^--to=\[what to write\]:FORMAT:(perfetto csv ndjson trace.dat)$'
has "zsh: a letter" out '^(-o --output)-o+\[write to FILE'
zsh -f -c '
_describe() { print -rl -- ${(P)2} }
words=(vgicsim ex) CURRENT=2
. "$0"' "$dir/zsh" >"$dir/out" 2>"$dir/err"
has "zsh: a command with what it does" out '^export:Write a recording'

# Every command and every option that --help knows is in all three.
missing=
for command in $("$tool" help | awk '/^  [a-z]/ { print $1 }'); do
	[ "$command" != help ] || continue
	for option in $("$tool" "$command" --help | grep -o -e '^ *\(-[a-zA-Z], \)\?--[a-z-]*' | grep -o -e '--[a-z-]*'); do
		of_bash "$command" "$option"
		grep -qx -e "$option" "$dir/out" || missing="$missing bash:$command:$option"
		grep -q -e "_from $command'.* -l ${option#--}\( \|$\)" "$dir/fish" || missing="$missing fish:$command:$option"
		grep -q -e "[{,'*]$option[=}[,]" "$dir/zsh" || missing="$missing zsh:$command:$option"
	done
	grep -q -e " -a $command -d" "$dir/fish" || missing="$missing fish:$command"
done
echo "$missing" >"$dir/out"
[ -z "$missing" ]
result $? "all commands and options are in all three"
echo "1..$n"
