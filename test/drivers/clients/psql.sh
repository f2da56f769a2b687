#!/bin/sh
# The client's side of a conversation with judge.py (see ../README.md).
# shellcheck source=/dev/null
. "${0%/*}/snippet.sh"

tab=$(printf '\t')
trap_() { printf 'trap\t%s\t%s\n' "$1" "$2"; }
yes_if() { if "$@"; then echo yes; else echo no; fi; }
verify() { psql -XAtqc "SELECT mogo.mogo_verify('$1', 'wrong')"; }

# psql has the message, not the SQLSTATE.
fault() {
	case $1 in
		*"already exists"*) printf 'error\t23505' ;;
		*"does not exist"*) printf 'error\t42704' ;;
		*) printf 'error\t?' ;;
	esac
	printf '\t%s\n' "$(printf %s "$1" | tr '\n' ' ')"
}

psql --version | sed 's/.*) \([0-9.]*\).*/# \1/'
while IFS= read -r line; do
	call=${line%%"$tab"*} rest=${line#*"$tab"}
	first=${rest%%"$tab"*} second=${rest#*"$tab"}
	case $call in
		authenticate)
			said=$(authenticate "$first" "$second" 2>&1) || { fault "$said"; continue; }
			if [ -n "$said" ]; then printf 'row\t%s\tread,write\n' "$said"; else echo none; fi ;;
		add)
			if said=$(add "$first" "$second" 2>&1); then echo "added $said" | tr ' ' '\t'; else fault "$said"; fi ;;
		revoke)
			if said=$(revoke "$first" 2>&1); then echo "done"; else fault "$said"; fi ;;
		traps)
			trap_ "$(yes_if [ "$(verify "$first")" = f ])" "a wrong secret is f"
			trap_ "$(yes_if [ -n "$(verify "$first")" ])" "and f is not empty"
			trap_ "$(verify "$first" >/dev/null && echo yes || echo no)" "and psql succeeds"
			echo end ;;
	esac
done
