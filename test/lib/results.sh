# shellcheck shell=bash
#
# test/lib/results.sh
#	Counts results: one line for each, "ok" or "FAILED", and "N passed, N failed" at the
#	end. Knows how pg_regress and prove print theirs, and our own programs.
#
# Sourced, after install.sh. What reads a pipe has to be its last part: the functions
# here count in the shell that calls them.

shopt -s lastpipe

passed=0 failed=0

# Prints one result and counts it. $1 ok or FAILED, $2 what was tested.
result() {
	printf '  %-8s%s\n' "$1" "$2"
	if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# Prints the closing line. Returns whether all went well.
totals() {
	say "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}

# Counts a step whose output is a list of faults: an empty one is a pass. $1 what was
# tested, $2 the file with the output.
verdict() {
	if [ -s "$2" ]; then
		result FAILED "$1"
		head -n 60 "$2" | sed 's/^/    | /'
	else
		result ok "$1"
	fi
}

# Reads a line into the variable line, as `read -r` does, and says every 30 seconds that
# nothing has come. $1 is what we wait for.
read_line() {
	local part rc
	line=
	while :; do
		rc=0
		IFS= read -r -t 30 part || rc=$?
		line+=$part
		[ "$rc" -gt 128 ] || return "$rc"
		say "          $1: still running"
	done
}

# Counts what pg_regress (15: "test x ... ok"; later "ok 1 - x") or prove --verbose
# prints, under the heading $1. A TAP file that ends otherwise than it should (it dies,
# or loses tests, or skips all of them without a reason) is a failure, once.
count_suite() {
	local line file='' faulty='' told=
	while read_line "$1$file"; do
		if [[ $line =~ ^(test|' '{4,})\ *([^ ]+)\ +\.\.\.\ (ok|FAILED) ]]; then
			result "${BASH_REMATCH[3]}" "$1: ${BASH_REMATCH[2]}"
		elif [[ $line =~ ^[^\ ]*/([^\ /]+)\.pl\ \.\.+\ (skipped:\ (.*))? ]]; then
			file=" ${BASH_REMATCH[1]}"
			case ${BASH_REMATCH[3]} in
				'') ;;
				'(no reason given)') result FAILED "$1$file: ended without a result"; told+="$file " ;;
				*) say "  skipped $1$file: ${BASH_REMATCH[3]}" ;;
			esac
		elif [[ $line =~ ^[^\ ]*/([^\ /]+)\.pl\ +\(Wstat:\ ([0-9]+).*\ Failed:\ ([0-9]+)\) ]]; then
			# prove's summary names each file that is not as it should be, and then why
			faulty=
			[ "${BASH_REMATCH[3]}" != 0 ] || [[ $told == *" ${BASH_REMATCH[1]} "* ]] || faulty=" ${BASH_REMATCH[1]}"
		elif [[ $line =~ ^\ +(Non-zero\ (exit|wait)\ status|Parse\ errors):\  ]]; then
			[ -z "$faulty" ] || result FAILED "$1$faulty: ${line#"${line%%[! ]*}"}"
			faulty=
		elif [[ $line =~ ^not\ ok\ [0-9]+(.*# TODO.*) ]]; then
			say "  todo    $1$file:${BASH_REMATCH[1]}"
		elif [[ $line =~ ^(not )?ok\ [0-9]+\ +[-+]?\ *(.*) ]]; then
			if [[ $line == *'# skip'* ]]; then
				say "  skipped $1$file: ${line#*'# skip '}"
			elif [ -n "${BASH_REMATCH[1]}" ]; then
				result FAILED "$1$file: $(strip_ms "${BASH_REMATCH[2]}")"
			else
				result ok "$1$file: $(strip_ms "${BASH_REMATCH[2]}")"
			fi
		fi
	done
}

# Takes pg_regress's time off the end of a name.
strip_ms() { sed -E 's/ +[0-9]+ ms$//' <<<"$1"; }

# Counts the lines "ok NAME" and "FAILED NAME: why" of standard input under the heading
# $1 and shows the others; the last line is to be "end".
count_lines() {
	local line ended=
	while read_line "$1"; do
		case $line in
			"ok "*) result ok "$1: ${line#ok }" ;;
			"FAILED "*) result FAILED "$1: ${line#FAILED }" ;;
			end) ended=yes ;;
			*) say "    | $line" ;;
		esac
	done
	[ -n "$ended" ] || result FAILED "$1: did not get to its end"
}
