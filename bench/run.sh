#!/usr/bin/env bash
#
# bench/run.sh
#	What `make bench` calls: every row of the figures, side by side in one run.
#
# Throw-away servers from a private installation. What is compared runs by turns: in
# each round the other side, mogocred, the other side again. Rates come from pgbench,
# CPU time is what the servers' backends used (user and system, from /proc). A row's
# figures are the medians of its rounds; A/A is the other side's second run over its
# first. A row holds if its ratio is the figure at least, less what A/A is off 1, and
# no row is called held on fewer than 20 rounds.
#
#	QUICK=1		a first table in two minutes: smaller, fewer rounds
#	ROWS="..."	only these: pipelined single external batch find bulk many lists standby tracking big
#	RESULTS=file	where the machine-readable copy goes

set -euo pipefail
# shellcheck source=test/lib/install.sh
. "$(dirname "$0")/../test/lib/install.sh"

rows=${ROWS:-pipelined single external batch find bulk many lists standby tracking big}
if [ -n "${QUICK:-}" ]; then
	rounds=3 seconds=1 clients=100000 big=500000 batch=50000 bulk=5000
else
	rounds=24 seconds=1 clients=1000000 big=10000000 batch=200000 bulk=20000
fi
depth=100	# queries in a pipeline, so that waking each other up does not show
reuse=5	# pipelines before other ids are fetched, so that fetching does not show
results=${RESULTS:-/tmp/mogocred-bench-$(date +%Y%m%d-%H%M%S).json}

note() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
wants() { [[ " $rows " == *" $1 "* ]]; }

# --- servers ------------------------------------------------------------------

# Starts the server in $work/$1; $2... are options for it.
start() {
	local server=$1
	shift
	run_as "$bindir/pg_ctl" -s -w -D "$work/$server/data" -l "$work/$server/log" -o "$*" start ||
		die "server $server did not start, see $work/$server/log"
}

stop() { run_as "$bindir/pg_ctl" -s -w -m fast -D "$work/$1/data" stop; }

make_primary() {
	run_as mkdir "$work/primary"
	run_as "$bindir/initdb" -D "$work/primary/data" -U postgres -A trust -E UTF8 --no-locale >/dev/null
	cat >>"$work/primary/data/postgresql.conf" <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$work/primary'
		shared_buffers = '$(($(awk '/^MemTotal/ {print $2}' /proc/meminfo) / 3072))MB'
		max_wal_size = '4GB'
		autovacuum = off
		jit = off
		max_parallel_workers_per_gather = 0
	CONF
	start primary
}

make_standby() {
	run_as mkdir "$work/standby"
	run_as "$bindir/pg_basebackup" -h "$work/primary" -U postgres -D "$work/standby/data" -R -c fast
	echo "unix_socket_directories = '$work/standby'" >>"$work/standby/data/postgresql.conf"
	start standby
}

# psql on server $1, database $2.
sql() {
	local server=$1 database=$2
	shift 2
	run_as "$bindir/psql" -qXAt -v ON_ERROR_STOP=1 -h "$work/$server" -U postgres -d "$database" "$@"
}

# Reads into memory what the rows ask of server $1, which has just been started or filled:
# what is compared must not differ by who came first.
warm() {
	sql "$1" postgres -c "SELECT count(pg_prewarm(c.oid::regclass)) FROM pg_class AS c
		WHERE c.oid IN ('mogo_client'::regclass, 'mogo_client_pkey'::regclass, 'mogo_client_external_id_key'::regclass)
		OR c.relnamespace = 'bench'::regnamespace AND c.relkind IN ('r', 'i')" >/dev/null
}

postmaster() { head -n 1 "$work/$1/data/postmaster.pid"; }

# CPU time in clock ticks of those of the server's processes that have ended.
ended_cpu() { awk '{print $16 + $17}' "/proc/$(postmaster "$1")/stat"; }

# How many processes a server has; a process may go while we read.
processes() { cat /proc/[0-9]*/stat 2>/dev/null | awk -v parent="$(postmaster "$1")" '$4 == parent' | wc -l; }

# Runs script $3 on server $1, database $2, with pgbench options $5...; prints the
# rate and the CPU microseconds, of $4 units in a transaction.
run() {
	local server=$1 database=$2 script=$3 units=$4 before number try
	shift 4
	number=$(processes "$server")
	before=$(ended_cpu "$server")
	run_as "$bindir/pgbench" -h "$work/$server" -U postgres -n -M prepared -D left=0 \
		-f "$work/$script.sql" "$@" "$database" >"$work/pgbench.out" 2>&1 ||
		{ cat "$work/pgbench.out" >&2; die "pgbench failed"; }
	for ((try = 0; try < 100; try++)); do
		sleep 0.02	# until the backend is gone
		[ "$(processes "$server")" -gt "$number" ] || break
	done
	awk -v units="$units" -v before="$before" -v after="$(ended_cpu "$server")" -v tick="$(getconf CLK_TCK)" '
		/^number of transactions actually processed/ {split($6, n, "/")}
		/^tps/ {tps = $3}
		END {printf "%.1f %.3f\n", tps * units, (after - before) / tick * 1e6 / (n[1] * units)}' "$work/pgbench.out"
}

# --- what is run --------------------------------------------------------------

# Writes $work/$1.sql: $depth times query $2 with ID and SECRET as parameters, which come
# from table bench.$4 (pairs); in a pipeline if $3 says so.
script() {
	local i query
	{
		printf '%s\n' '\if :left = 0' '\set k random(1, 10000)' \
			"SELECT * FROM bench.${4:-pairs} WHERE k = :k \\gset" "\\set left $reuse" '\endif' '\set left :left - 1'
		[ -z "${3:-}" ] || printf '%s\n' '\startpipeline'
		for ((i = 1; i <= depth; i++)); do
			query=${2//ID/:id$i}
			echo "${query//SECRET/:secret$i};"
		done
		[ -z "${3:-}" ] || printf '%s\n' '\endpipeline'
	} >"$work/$1.sql"
}

scripts() {
	script verify 'SELECT mogo_verify(ID, SECRET)' pipeline
	script bare 'SELECT enabled FROM bench.bare WHERE client_id = ID' pipeline
	script digest 'SELECT bench.verify_digest(ID, SECRET)' pipeline
	script salted 'SELECT bench.verify_salted(ID, SECRET)' pipeline
	script crypt 'SELECT crypt(SECRET, bcrypt) = bcrypt FROM bench.own WHERE client_id = ID' pipeline
	script verify1 'SELECT mogo_verify(ID, SECRET)'
	script bare1 'SELECT enabled FROM bench.bare WHERE client_id = ID'
	script verify_external 'SELECT mogo_verify(ID, SECRET)' pipeline external_pairs
	script bare_external 'SELECT enabled FROM bench.bare WHERE external_id = ID' pipeline external_pairs
	echo 'SELECT count(*) FROM bench.batch WHERE mogo_verify(id, secret);' >"$work/batch.sql"
	echo 'SELECT count(*) FROM bench.batch AS b JOIN bench.bare AS c ON c.client_id = b.id WHERE sha256(b.bytes) <> c.salt;' >"$work/join.sql"
	echo "SELECT count(*) FROM mogo_find_secret('none');" >"$work/find.sql"
	echo "SELECT count(*) FROM bench.find WHERE hash = sha256(salt || sha256('none'));" >"$work/find_plain.sql"
	echo "SELECT count(mogo_add_client('client ' || lpad(n::text, 8, '0'))) FROM generate_series(1, $bulk) AS n;" >"$work/add.sql"
	printf '%s\n' 'BEGIN;' 'INSERT INTO bench.client TABLE bench.made_client;' \
		'INSERT INTO bench.secret TABLE bench.made_secret;' \
		'INSERT INTO bench.audit TABLE bench.made_audit;' 'END;' >"$work/insert.sql"
}

# Makes clients from $1 to $2, in two halves side by side, and pairs of ids and secrets of all of them to ask for.
fill() {
	local i columns='' values='' external='' numbers=''
	note "making clients $1 to $2"
	sql primary postgres -v first="$1" -v last=$((($1 + $2) / 2)) -f - <"$SRC/bench/fill.sql" &
	sql primary postgres -v first=$((($1 + $2) / 2 + 1)) -v last="$2" -f - <"$SRC/bench/fill.sql"
	wait $!
	for ((i = 1; i <= depth; i++)); do
		columns+=", id$i, secret$i" values+=", bench.id(n$i), bench.secret(n$i)"
		external+=", bench.external_id(n$i), bench.secret(n$i)"
		numbers+=", 1 + floor(random() * $2)::int AS n$i"
	done
	sql primary postgres -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS bench.pairs, bench.external_pairs' \
		-c "CREATE TABLE bench.pairs (k${columns}) AS SELECT k $values FROM (SELECT k $numbers FROM generate_series(1, 10000) AS k OFFSET 0) AS numbers" \
		-c "CREATE TABLE bench.external_pairs (k${columns}) AS SELECT k $external FROM (SELECT k $numbers FROM generate_series(1, 10000) AS k OFFSET 0) AS numbers" \
		-c 'ALTER TABLE bench.pairs ADD PRIMARY KEY (k)' -c 'ALTER TABLE bench.external_pairs ADD PRIMARY KEY (k)' -c 'VACUUM ANALYZE' -c 'CHECKPOINT'
	[ "$(sql primary postgres -c 'SELECT count(*) FROM bench.pairs AS p JOIN bench.external_pairs AS e USING (k) WHERE mogo_verify(p.id1, p.secret1) AND mogo_verify(e.id1, e.secret1)')" = 10000 ] ||
		die "the clients that were made cannot be verified"
	warm primary
}

# Runs the rounds of row $1: each of the functions $2... in turn, one line a round.
measure() {
	local row=$1 round side line
	shift
	: >"$work/$row.rounds"
	for ((round = 1; round <= rounds; round++)); do
		line=
		for side in "$@"; do
			line+="$($side) "
		done
		echo "$line" >>"$work/$row.rounds"
		note "$row $round/$rounds: $(awk '{printf "%.3f (A/A %.3f)", $3 / (($1 + $5) / 2), $5 / $1}' <<<"$line")"
	done
}

pipelined() { run primary postgres "$1" $depth -T $seconds; }
bare() { pipelined bare; }
verify() { pipelined verify; }
digest() { pipelined digest; }
salted() { pipelined salted; }
crypt() { pipelined crypt; }
verify_external() { pipelined verify_external; }
bare_external() { pipelined bare_external; }
bare1() { run primary postgres bare1 $depth -T $seconds; }
verify1() { run primary postgres verify1 $depth -T $seconds; }
on_standby() { run standby postgres verify $depth -T $seconds; }
tracking() { PGOPTIONS="-c mogocred.track_usage=$1 -c mogocred.redact_literals=$1" verify; }
tracking_on() { tracking on; }
tracking_off() { tracking off; }
join() {
	PGOPTIONS='-c enable_hashjoin=off -c enable_mergejoin=off -c enable_memoize=off -c enable_material=off' \
		run primary postgres join "$batch" -t 1
}
batch() { run primary postgres batch "$batch" -t 1; }
list_plain() { run primary lists list_plain 1 -t 5; }
list_view() { run primary lists list_view 1 -t 5; }
find_plain() { run primary postgres find_plain "$clients" -t 1; }
find_secret() { run primary postgres find "$clients" -t 1; }
empty() {
	sql primary bulk -c 'TRUNCATE mogo_client, mogo_secret, mogo_audit_log, bench.client, bench.secret, bench.audit' -c CHECKPOINT
}
insert() { empty; run primary bulk insert "$bulk" -t 1; }
add() { empty; run primary bulk add "$bulk" -t 1; }

# 16 connections, a client a transaction: what they wait for is the disk and each other.
many() {
	sql primary many -c 'TRUNCATE mogo_client, mogo_secret, mogo_audit_log' -c CHECKPOINT
	PGOPTIONS='-c mogocred.send_notifications=off' run primary many "$1" 1 -c 16 -j 2 -T $seconds
}
many_insert() { many insert_one; }
many_add() { many add_one; }

# --- the table ----------------------------------------------------------------

table=() json=()

# Adds a line: $1 what, $2 against, $3 the row whose rounds count, $4 which side of
# them is ours and $5 the other (1, 2, ...), $6 the figure, $7 "time" where it is the
# most that our time may be of the other's.
result() {
	local line
	line=$(awk -v ours="$4" -v other="$5" -v figure="$6" -v time="${7:-}" -v enough=$((rounds >= 20)) '
		function median(list, n,    i, j, t) {
			for (i = 2; i <= n; i++)
				for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
					t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
				}
			return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
		}
		{
			# where the other side is the one that is run twice, both its runs count
			rate = other == 1 ? ($1 + $5) / 2 : $(2 * other - 1)
			cpu = other == 1 ? ($2 + $6) / 2 : $(2 * other)
			ratio[NR] = $(2 * ours - 1) / rate
			used[NR] = $(2 * ours) > 0 ? cpu / $(2 * ours) : 0
			if (time) {ratio[NR] = 1 / ratio[NR]; used[NR] = cpu > 0 ? $(2 * ours) / cpu : 0}
			aa[NR] = $5 / $1; mine[NR] = $(2 * ours - 1); theirs[NR] = rate; us[NR] = $(2 * ours)
		}
		END {
			r = median(ratio, NR); a = median(aa, NR); off = a > 1 ? a - 1 : 1 - a
			holds = time ? r <= figure + off : r >= figure - off
			printf "%.3f %.3f %.3f %s %.0f %.0f %.2f", r, a, median(used, NR),
				enough ? (holds ? "yes" : "no") : "-", median(mine, NR), median(theirs, NR), median(us, NR)
		}' "$work/$3.rounds")
	# shellcheck disable=SC2086	# seven words
	add_line "$1" "$2" "${7:+<=}" "$6" $line
}

add_line() {
	table+=("$(printf '%-46s %-40s %9s %7s %7s  %-7s %-5s' "$1" "$2" "$5" "$6" "$7" "${3:->=} $4" "$8")")
	json+=("$(printf '{"what": "%s", "against": "%s", "ratio": %s, "a_a": %s, "cpu_ratio": %s, "figure": %s, "at_most": %s, "holds": "%s", "rate": %s, "rate_against": %s, "cpu_us": %s, "rounds": %s}' \
		"$1" "$2" "$5" "$6" "$7" "$4" "$([ -n "$3" ] && echo true || echo false)" "$8" "$9" "${10}" "${11}" "$rounds")")
}

skipped() {
	note "$1: skipped: $2"
	table+=("$(printf '%-46s skipped: %s' "$1" "$2")")
	json+=("$(printf '{"what": "%s", "skipped": "%s"}' "$1" "$2")")
}

thousands() { sed -E ':a; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; ta' <<<"$1"; }

report() {
	local line
	machine="$(awk -F': *' '/^model name/ {print $2; exit}' /proc/cpuinfo), $(nproc) cores, $(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GiB, Linux $(uname -r)"
	settings="$(sql primary postgres -c "SELECT string_agg(name || '=' || current_setting(name), ' ' ORDER BY name) FROM pg_settings WHERE name IN ('shared_buffers', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'max_wal_size', 'autovacuum', 'jit', 'max_parallel_workers_per_gather')")"
	version="$("$bindir/postgres" --version), mogocred $(sql primary postgres -c "SELECT extversion FROM pg_extension WHERE extname = 'mogocred'") ($(git -C "$SRC" describe --always --dirty 2>/dev/null || echo unknown))"
	load="$load_before before, $(cut -d' ' -f1-3 /proc/loadavg) after"
	echo
	say "$version"
	say "$machine; load $load"
	say "$settings"
	say "$rounds rounds by turns, $seconds s each; $(thousands $clients) clients where nothing else is said"
	echo
	printf '%-46s %-40s %9s %7s %7s  %-7s %-5s\n' what against ratio A/A CPU reach holds
	printf '%s\n' "${table[@]}"
	echo
	((rounds >= 20)) || say "Too few rounds to say what holds: a first look only."
	say "CPU: the same ratio in CPU time of the server's backends."
	{
		printf '{"version": "%s",\n "machine": "%s",\n "load": "%s",\n "settings": "%s",\n "rows": [\n' "$version" "$machine" "$load" "$settings"
		for line in "${json[@]:0:${#json[@]}-1}"; do printf '  %s,\n' "$line"; done
		printf '  %s\n ]}\n' "${json[-1]}"
	} >"$results"
	say "The same for programs: $results ($((SECONDS / 60)) min $((SECONDS % 60)) s)"
}

# --- the run ------------------------------------------------------------------

cleanup() {
	local server
	for server in standby primary; do
		[ ! -f "$work/$server/data/postmaster.pid" ] || stop "$server" || :
	done
	rm -rf "$work"
}

load_before=$(cut -d' ' -f1-3 /proc/loadavg)
need_packages bench
work=$(mktemp -d /tmp/mogocred-bench.XXXXXX)
trap cleanup EXIT
trap 'exit 130' INT TERM
note "building for $("$PG_CONFIG" --version)"
private_install "$work"
[ -x "$bindir/pgbench" ] || die "pgbench is missing from this PostgreSQL"
give "$work"
scripts
make_primary
sql primary postgres -f - <"$SRC/bench/schema.sql"
fill 1 $clients

if wants pipelined; then
	sql primary postgres -c "INSERT INTO bench.own SELECT bench.id(n), sha256(bench.secret(n)::bytea), salt, sha256(salt || sha256(bench.secret(n)::bytea)), crypt('x', gen_salt('bf', 6)) FROM generate_series(1, 1) AS n, decode(md5('salt' || n), 'hex') AS salt" \
		-c "INSERT INTO bench.own SELECT bench.id(n), sha256(bench.secret(n)::bytea), s.salt, sha256(s.salt || sha256(bench.secret(n)::bytea)), o.bcrypt FROM generate_series(2, $clients) AS n, decode(md5('salt' || n), 'hex') AS s (salt), bench.own AS o" \
		-c 'VACUUM ANALYZE bench.own' -c CHECKPOINT
	[ "$(sql primary postgres -c 'SELECT count(*) FROM bench.pairs WHERE bench.verify_digest(id1, secret1) AND bench.verify_salted(id1, secret1)')" = 10000 ] ||
		die "the functions to compare with do not work"
	warm primary
	measure pipelined bare verify bare digest salted crypt
	result 'mogo_verify, pipelined' 'bare primary-key SELECT' pipelined 2 1 0.95
	result 'mogo_verify, pipelined' "PL/pgSQL, pgcrypto's digest, one hash" pipelined 2 4 1.35
	result 'mogo_verify, pipelined' 'PL/pgSQL, the two hashes that we make' pipelined 2 5 1.6
	result 'mogo_verify, pipelined' 'crypt(secret, hash) = hash, bf cost 6' pipelined 2 6 150
fi
if wants single; then
	measure single bare1 verify1 bare1
	result 'mogo_verify, one query at a time' 'bare primary-key SELECT' single 2 1 0.97
fi
if wants external; then
	measure external bare_external verify_external bare_external
	result 'mogo_verify by an external id, pipelined' 'bare SELECT by a unique text column' external 2 1 0.9
fi
if wants batch; then
	sql primary postgres -c "CREATE TABLE bench.batch AS SELECT bench.id(n) AS id, bench.secret(n) AS secret, bench.secret(n)::bytea AS bytes FROM (SELECT 1 + floor(random() * $clients)::int AS n FROM generate_series(1, $batch) OFFSET 0) AS numbers" \
		-c 'VACUUM ANALYZE bench.batch' -c CHECKPOINT
	measure batch join batch join
	result "$(thousands $batch) checks in one statement, time" 'nested-loop index join and core sha256()' batch 2 1 1.25 time
fi
if wants find; then
	sql primary postgres -c "CREATE TABLE bench.find AS SELECT client_id, salt, decode(right(live[1].hash, 64), 'hex') AS hash FROM mogo_client" \
		-c "INSERT INTO mogo_secret SELECT live[1].secret_id, client_id, created_at, created_by FROM mogo_client" \
		-c 'VACUUM ANALYZE bench.find, mogo_secret' -c CHECKPOINT
	[ "$(sql primary postgres -c "SELECT count(*) FROM mogo_find_secret(bench.secret($clients)) AS s JOIN bench.find AS f USING (client_id) WHERE f.hash = sha256(f.salt || sha256(bench.secret($clients)::bytea))")" = 1 ] ||
		die "mogo_find_secret does not find what is there"
	measure find find_plain find_secret find_plain
	result "mogo_find_secret, $(thousands $clients) clients, time" 'SELECT ... WHERE hash = sha256(salt || ...)' find 2 1 1.5 time
	sql primary postgres -c 'DROP TABLE bench.find' -c 'TRUNCATE mogo_secret'
fi
if wants bulk; then
	sql primary postgres -c 'CREATE DATABASE bulk'
	sql primary bulk -v clients="$bulk" -f - <"$SRC/bench/bulk.sql" >/dev/null
	say "bytes a client, as mogo_add_client makes it: $(sql primary bulk -F ' ' -c "SELECT (pg_total_relation_size('mogo_client') + pg_total_relation_size('mogo_secret') + pg_total_relation_size('mogo_audit_log')) / $bulk, 'in mogo_client', pg_total_relation_size('mogo_client') / $bulk, 'mogo_secret', pg_total_relation_size('mogo_secret') / $bulk, 'mogo_audit_log', pg_total_relation_size('mogo_audit_log') / $bulk")" >&2
	measure bulk insert add insert
	result "mogo_add_client, $(thousands $bulk) in one statement" 'INSERT ... SELECT of the same rows' bulk 2 1 0.45
	sql primary postgres -c 'DROP DATABASE bulk'
fi
if wants many; then
	sql primary postgres -c 'CREATE DATABASE many'
	sql primary many -f - <"$SRC/bench/many.sql"
	echo 'SELECT client_id FROM mogo_add_client(gen_random_uuid()::text);' >"$work/add_one.sql"
	echo 'SELECT bench.insert_client();' >"$work/insert_one.sql"
	measure many many_insert many_add many_insert
	result '16 connections that add clients' '16 that INSERT the same rows' many 2 1 0.8
	sql primary postgres -c 'DROP DATABASE many'
fi
if wants lists; then
	# with use counts for all, as a server that is preloaded has them
	stop primary
	start primary -c shared_preload_libraries=mogocred
	sql primary postgres -c 'CREATE DATABASE lists'
	sql primary lists -v clients=100000 -f - <"$SRC/bench/lists.sql" >/dev/null
	for column in created_at next_expiry last_used_at failed_checks; do
		echo "SELECT * FROM plain ORDER BY $column LIMIT 50;" >"$work/list_plain.sql"
		echo "SELECT * FROM mogo_clients ORDER BY $column LIMIT 50;" >"$work/list_view.sql"
		measure "list_$column" list_plain list_view list_plain
		result "first 50 of 100,000 clients by $column, time" 'a plain table without an index' "list_$column" 2 1 5 time
	done
	sql primary postgres -c 'DROP DATABASE lists'
	stop primary
	start primary
fi
if wants standby; then
	make_standby
	warm standby
	measure standby verify on_standby verify
	result 'mogo_verify on a hot standby, pipelined' 'on the primary' standby 2 1 0.95
	stop standby
	rm -rf "$work/standby"
fi
if wants tracking; then
	stop primary
	start primary -c shared_preload_libraries=mogocred
	warm primary
	if [ "$(sql primary postgres -c "SELECT count(*) FROM pg_settings WHERE name IN ('mogocred.track_usage', 'mogocred.redact_literals')")" = 2 ]; then
		measure tracking tracking_off tracking_on tracking_off
		result 'mogo_verify, tracking and redaction on' 'both off' tracking 2 1 0.97
	else
		skipped 'mogo_verify, tracking and redaction on' 'this build has not both settings'
	fi
	stop primary
	start primary
fi
if wants big; then
	free=$(df -Pk "$work" | awk 'NR == 2 {print int($4 / 1048576)}')
	if ((free < big / 500000)); then
		skipped "mogo_verify, $(thousands $big) clients" "takes $((big / 500000)) GiB of disk, and $free are free"
	else
		fill $((clients + 1)) $big
		measure big bare verify bare
		result "mogo_verify, pipelined, $(thousands $big) clients" 'bare primary-key SELECT' big 2 1 0.95
	fi
fi
[ ${#table[@]} != 0 ] || die "ROWS names no row: pipelined single external batch find bulk many lists standby tracking big"
report
