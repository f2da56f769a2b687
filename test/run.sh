#!/usr/bin/env bash
#
# test/run.sh
#	What `make test` calls: builds a copy of the sources with warnings as errors, installs
#	it into a private copy of PostgreSQL, and runs the SQL tests and the isolation specs
#	twice (library loaded on demand, library preloaded) and the TAP tests once, each on
#	servers of its own. The last line is "N passed, N failed".
#
#	PG_CONFIG	the PostgreSQL to test with
#	TESTS="name name"	only these
#	OLD_PG_CONFIG	the PostgreSQL that pg_upgrade's test comes from
#
# For test/deep/run.sh: COPT is the compiler's, WRAP and WRAP_ENV stand before every
# server, and AFTER is a program that looks at what the run left, before it is deleted.

set -euo pipefail
lib=$(dirname "$0")/lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$lib/results.sh"

# Prints the names of the tests in test/$1/*.$2 that TESTS asks for.
names() {
	local file name
	for file in "$SRC/test/$1"/*."$2"; do
		name=$(basename "$file" ".$2")
		[ -e "$file" ] || continue
		[ -z "${TESTS:-}" ] || [[ " $TESTS " == *" $name "* ]] || continue
		echo "$name"
	done
}

# Runs one suite through the Makefile's installcheck. $1 heading, $2 how many
# results there are to be ("some" where only the run tells), $3... what make is told.
# What it leaves is in $work/<heading>.
suite() {
	local heading=$1 expected=$2 out rc=0 before=$((passed + failed)) failed_before=$failed seen crashes
	shift 2
	[ "$expected" != 0 ] || return 0
	out=$work/$(tr -d '()' <<<"${heading// /-}")
	run_as mkdir "$out"
	run_as env TMPDIR="$work" make -s -C "$work/build" PG_CONFIG="$PG_CONFIG" ENCODING=UTF8 NO_LOCALE=1 \
		EXTRA_REGRESS_OPTS="--temp-instance=$work/server --outputdir=$out${preload:+ --temp-config=$preload}" \
		REGRESS= ISOLATION= TAP_TESTS= "$@" installcheck 2>&1 | tee "$out.log" | count_suite "$heading" || rc=$?
	seen=$((passed + failed - before))
	if [ "$seen" = 0 ] || { [ "$expected" != some ] && [ "$seen" != "$expected" ]; } ||
		{ [ "$rc" != 0 ] && [ "$failed" = "$failed_before" ]; }; then
		result FAILED "$heading: ended with exit code $rc after $seen results (expected: $expected)"
	fi
	# A background process may fall over while every test passes.
	crashes=$(grep -rhE 'TRAP: |PANIC: |by signal (4|6|7|8|11)\>' "$out/log" "$work/build/tmp_check/log" 2>/dev/null || true)
	[ -z "$crashes" ] || result FAILED "$heading: a server process crashed: $crashes"
	[ "$failed" = "$failed_before" ] || explain "$out"
}

# Shows what there is to see after a failure: differences, else the log's end and
# the server's.
explain() {
	if [ -s "$1/regression.diffs" ]; then
		head -n 300 "$1/regression.diffs" | sed 's/^/    | /'
	else
		grep -v '^ok ' "$1.log" | tail -n 60 | sed 's/^/    | /'
		[ ! -s "$1/log/postmaster.log" ] || tail -n 20 "$1/log/postmaster.log" | sed 's/^/    | /'
	fi
}

# Starts every server with the environment in WRAP_ENV and behind the command in WRAP. With no command it keeps its name, which
# pg_ctl restart goes by.
wrap_server() {
	# shellcheck disable=SC2016	# for the shell that wraps
	local own_name='-a "$0"'
	mv "$bindir/postgres" "$bindir/postgres.real"
	printf '#!/bin/bash\n%s\nexec %s "%s" "$@"\n' "${WRAP_ENV:+export $WRAP_ENV}" "${WRAP:-$own_name}" \
		"$bindir/postgres.real" >"$bindir/postgres"
	chmod 755 "$bindir/postgres"
}

run_tests() {
	local sql specs tap how preload=
	need_packages test
	say "mogocred: the whole suite takes about seven minutes on two cores; TESTS=\"name name\" runs some of it"
	work=$(mktemp -d /tmp/mogocred-test.XXXXXX)
	trap '[ -z "$work" ] || say "logs and servers'"'"' files are kept in $work"' EXIT
	say "mogocred: building with warnings as errors, for $("$PG_CONFIG" --version)"
	if [ -n "${OLD_PG_CONFIG:-}" ]; then
		# for pg_upgrade's test: the server to come from, in an installation of its own
		# shellcheck disable=SC2030	# its own PG_CONFIG, in there
		OLD_PG_CONFIG=$(PG_CONFIG=$OLD_PG_CONFIG; private_install "$work/old" WERROR=1; echo "$PG_CONFIG")
		export OLD_PG_CONFIG
	fi
	private_install "$work" WERROR=1
	[ -z "${WRAP:-}${WRAP_ENV:-}" ] || wrap_server
	give "$work"

	sql=$(names sql sql | paste -sd' ')
	specs=$(names specs spec | paste -sd' ')
	tap=$(names t pl | sed 's,.*,test/t/&.pl,' | paste -sd' ')
	printf "shared_preload_libraries = 'mogocred'\n" >"$work/preload.conf"
	count() { echo $#; }
	for how in "" " (preloaded)"; do
		# shellcheck disable=SC2086	# lists of words
		suite "sql$how" "$(count $sql)" REGRESS="$sql"
		# shellcheck disable=SC2086
		suite "isolation$how" "$(count $specs)" ISOLATION="$specs"
		preload=$work/preload.conf
	done
	if [ -n "$tap" ]; then
		# shellcheck disable=SC2031	# see above
		grep -q '^enable_tap_tests[[:space:]]*=[[:space:]]*yes' "$(dirname "$("$PG_CONFIG" --pgxs)")/../Makefile.global" ||
			die "this PostgreSQL was built without --enable-tap-tests"
		suite tap some TAP_TESTS=1 PROVE_TESTS="$tap" PROVE_FLAGS=--verbose
	fi

	[ -z "${AFTER:-}" ] || "$AFTER" "$work" | count_lines "$(basename "$AFTER" .sh)"
	if [ "$failed" = 0 ] && [ "$passed" != 0 ]; then
		rm -rf "$work"
	else
		say "logs and servers' files are kept in $work"
	fi
	work=
	totals
}

run_tests
