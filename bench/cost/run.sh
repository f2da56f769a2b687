#!/usr/bin/env bash
#
# bench/cost/run.sh
#	What `make check-cost` calls: what preloading mogocred costs a session that never
#	calls it, in instructions per statement.
#
# Two throw-away servers run under callgrind, one without mogocred and one that preloads
# it. Each kind of statement is run by a session of its own, many times, and the
# instructions of the session's process are counted, less those of a session that runs
# one. Instructions do not depend on the machine's load, so one run is enough. A row holds
# if the difference is under 1 %. The last line is "N passed, N failed".

set -euo pipefail
# shellcheck source=test/lib/install.sh
. "$(dirname "$0")/../../test/lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$(dirname "$0")/../../test/lib/results.sh"

limit=1.0	# percent

# --- servers ------------------------------------------------------------------

# Starts the server under callgrind. $1: what it preloads.
start() {
	run_as env TMPDIR="$work" valgrind --tool=callgrind --trace-children=yes \
		--callgrind-out-file="$work/out/%p" --log-file="$work/valgrind.log" \
		"$bindir/postgres" -D "$work/data" -c shared_preload_libraries="$1" >>"$work/log" 2>&1 &
	postmaster=$!
	for _ in $(seq 600); do
		! run_as "$bindir/psql" -X -q -h "$work" -U postgres -d postgres -c 'SELECT 1' >/dev/null 2>&1 || return 0
		kill -0 "$postmaster" 2>/dev/null || break
		sleep 0.5
	done
	die "the server did not start, see $work/log"
}

stop() {
	run_as "$bindir/pg_ctl" -s -w -t 300 -m fast -D "$work/data" stop
	wait "$postmaster" || true
}

# --- one count ----------------------------------------------------------------

# Prints the instructions of the session that the given command makes. pgbench makes a
# second one that does next to nothing: the largest count is meant.
instructions() {
	find "$work/out" -type f -delete
	run_as "$@" >/dev/null
	# a process writes its count when it has ended
	for _ in $(seq 300); do
		! find "$work/out" -type f -size +0 | grep -q . || break
		sleep 0.2
	done
	sleep 1
	find "$work/out" -type f -exec sed -n 's/^\(summary\|totals\): *//p' {} + | sort -n | tail -n 1
}

psql_file() { instructions "$bindir/psql" -X -q -v ON_ERROR_STOP=1 -h "$work" -U postgres -d postgres -f "$1"; }
prepared() { instructions "$bindir/pgbench" -n -M prepared -t "$1" -f "$work/one.sql" -h "$work" -U postgres postgres; }

repeat() { for _ in $(seq "$1"); do printf '%s\n' "$2"; done; }

# The kinds of statements. $1: which; $2: how many.
row() {
	local insert="INSERT INTO plain (id, total) VALUES (1, 'text')"
	case $1 in
		simple) repeat "$2" "SELECT total FROM plain WHERE id = 1;" ;;
		execute)
			echo "PREPARE plain_one(int) AS SELECT total FROM plain WHERE id = \$1;"
			repeat "$2" "EXECUTE plain_one(1);"
			;;
		fetch)
			echo "BEGIN; DECLARE c CURSOR FOR SELECT 1; FETCH c; COMMIT;"
			repeat "$2" "$insert;"
			;;
		long) repeat "$2" "SELECT total FROM plain WHERE id = 1 AND total NOT IN ('$(printf '%03000d' 0)');" ;;
		string)
			echo "BEGIN; DECLARE c CURSOR FOR SELECT 1; FETCH c; COMMIT;"
			repeat $(($2 - 1)) "$insert\\;"
			echo "$insert;"
			;;
	esac >"$work/$1.sql"
	psql_file "$work/$1.sql"
}

# Prints the smaller count of two runs of a command: what a server does by the clock,
# like reporting statistics, adds to some.
twice() {
	local first second
	first=$("$@") second=$("$@")
	echo $((first < second ? first : second))
}

# Prints the instructions per statement of kind $1, of which $2 are run.
per_statement() {
	local one many
	if [ "$1" = prepared ]; then
		one=$(twice prepared 1) many=$(twice prepared "$2")
	else
		one=$(twice row "$1" 1) many=$(twice row "$1" "$2")
	fi
	echo $(((many - one) / ($2 - 1)))
}

# --- the table ----------------------------------------------------------------

kinds=(simple prepared execute fetch long string)
declare -A count=([simple]=1000 [prepared]=2000 [execute]=1000 [fetch]=500 [long]=300 [string]=16000)
declare -A title=(
	[simple]='a SELECT by a key, simple protocol'
	[prepared]='the same, prepared, extended protocol'
	[execute]='the same, by EXECUTE'
	[fetch]='an INSERT, after a FETCH'
	[long]='a SELECT of 3 kB'
	[string]='one of 16,000 INSERTs in one string, after a FETCH'
)
declare -A without with

need_packages test
command -v valgrind >/dev/null || apt_install valgrind
work=$(mktemp -d /tmp/mogocred-cost.XXXXXX)
postmaster=
trap '[ -z "$postmaster" ] || kill -QUIT "$postmaster" 2>/dev/null || true' EXIT
private_install "$work"
mkdir "$work/out"
give "$work"
run_as "$bindir/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --no-locale >/dev/null
cat >>"$work/data/postgresql.conf" <<-CONF
	listen_addresses = ''
	unix_socket_directories = '$work'
	autovacuum = off
	jit = off
	shared_buffers = 16MB
	fsync = off
CONF
run_as tee "$work/one.sql" >/dev/null <<<'SELECT total FROM plain WHERE id = 1;'
chmod 777 "$work"

for preload in '' mogocred; do
	start "$preload"
	run_as "$bindir/psql" -X -q -h "$work" -U postgres -d postgres -c \
		"DROP TABLE IF EXISTS plain; CREATE TABLE plain (id int, total text); CREATE INDEX ON plain (id); INSERT INTO plain SELECT i + 1, 'x' FROM generate_series(0, 9) i"
	for kind in "${kinds[@]}"; do
		if [ -z "$preload" ]; then
			without[$kind]=$(per_statement "$kind" "${count[$kind]}")
		else
			with[$kind]=$(per_statement "$kind" "${count[$kind]}")
		fi
	done
	stop
done
postmaster=

say "instructions per statement of a session that never calls mogocred, $("$PG_CONFIG" --version):"
printf '  %-60s %12s %12s\n' '' 'without it' 'preloaded'
for kind in "${kinds[@]}"; do
	percent=$(awk -v a="${without[$kind]}" -v b="${with[$kind]}" 'BEGIN { printf "%.2f", (b - a) * 100 / a }')
	line=$(printf '%-52s %12d %12d %+7.2f%%' "${title[$kind]}" "${without[$kind]}" "${with[$kind]}" "$percent")
	if awk -v p="$percent" -v limit="$limit" 'BEGIN { exit !(p < limit) }'; then
		result ok "$line"
	else
		result FAILED "$line"
	fi
done
rm -rf "$work"
totals
