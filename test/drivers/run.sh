#!/usr/bin/env bash
#
# test/drivers/run.sh
#	What `make test-drivers` calls: the same ten things through six published drivers
#	against a throw-away server, and one table of the results. The last line is
#	"N passed, N failed".

set -euo pipefail
lib=$(dirname "$0")/../lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$lib/results.sh"
# shellcheck source=test/lib/server.sh
. "$lib/server.sh"

things=(add json "verify uuid" "verify text" null prepared authenticate basic sqlstate listen)
declare -A how

# Runs one driver's test. $1 its name, $2... the command.
driver() {
	local name=$1 thing line out=$work/$1.out
	shift
	as_user 60 "$@" >"$out" 2>&1 </dev/null || true
	how[$name,version]=$(sed -n 's/^# //p' "$out")
	for thing in "${things[@]}"; do
		line=$(grep -xm 1 -E "ok $thing|FAILED $thing: .*" "$out" || echo "FAILED $thing: no result")
		how[$name,$thing]=${line%% *}
		if [ "${line%% *}" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
	done
	if grep -q -v -E '^(ok|#) ' "$out" || [ "$(grep -c '^ok ' "$out")" != ${#things[@]} ]; then
		sed "s/^/    | $name: /" "$out"
	fi
}

need_debian nodejs npm python3-psycopg python3-asyncpg libpostgresql-jdbc-java default-jdk-headless
start_test_server drivers
need_node
export PGUSER=test_admin
tests=$(npm_copy test)
cc -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -I"$("$PG_CONFIG" --includedir)" -o "$tests/libpq" "$tests/drivers/libpq.c" \
	-L"$("$PG_CONFIG" --libdir)" -lpq
javac -cp /usr/share/java/postgresql.jar -d "$tests" "$tests/drivers/Jdbc.java"
say "mogocred: six drivers against $("$PG_CONFIG" --version)"

driver libpq "$tests/libpq"
driver psycopg /usr/bin/python3 "$tests/drivers/psycopg3.py"
driver asyncpg /usr/bin/python3 "$tests/drivers/asyncpg_driver.py"
driver node-postgres node "$tests/drivers/node-postgres.mjs"
driver Postgres.js node "$tests/drivers/postgres-js.mjs"
driver JDBC java -cp "/usr/share/java/postgresql.jar:$tests" Jdbc

names=(libpq psycopg asyncpg node-postgres Postgres.js JDBC)
row() { (printf '%-13s' "$1"; shift; printf ' %-14s' "$@"; echo) | sed 's, *$,,'; }
row "" "${names[@]}"
for thing in version "${things[@]}"; do
	cells=()
	for name in "${names[@]}"; do cells+=("${how[$name,$thing]}"); done
	row "$thing" "${cells[@]}"
done
totals
