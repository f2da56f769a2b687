#!/usr/bin/env bash
#
# test/monitoring/run.sh
#	What `make test-monitoring` calls: doc/monitoring.md against the real programs of
#	Debian's: postgres_exporter with the monitor's role, promtool for the alert rules, the
#	metrics that the dashboard shows, and the notices with pg_cron (if this server's is
#	packaged) and without. The last line is "N passed, N failed".

set -euo pipefail
lib=$(dirname "$0")/../lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$lib/results.sh"
# shellcheck source=test/lib/server.sh
. "$lib/server.sh"

page=$SRC/doc/monitoring.md
files=$SRC/doc/monitoring

# Prints the block number $2 (from 1) of the page whose fence is ```$1.
block() {
	awk -v fence="\`\`\`$1" -v wanted="$2" '
		/^```/ && inside {inside = 0; next}
		$0 == fence && !inside {inside = 1; n++; next}
		inside && n == wanted' "$page"
}

# Counts whether $2 is what $1 should be. $3 is what is tested.
same() {
	if [ "$1" = "$2" ]; then result ok "$3"; else
		result FAILED "$3"
		printf '    | %s\n    | is not %s\n' "$1" "$2"
	fi
}

# psql as user $1, prints what it answers.
ask() {
	local user=$1
	shift
	socket_psql "$work" "$user" -d test -At "$@"
}

need_debian prometheus-postgres-exporter prometheus
promtool=$(command -v promtool)

for kind in "check rules $files/alerts.yml" "test rules $files/alerts_test.yml"; do
	# shellcheck disable=SC2086	# words
	if "$promtool" $kind >/tmp/promtool.$$ 2>&1; then result ok "promtool ${kind%%/*}"; else
		result FAILED "promtool ${kind%%/*}"
		sed 's/^/    | /' /tmp/promtool.$$
	fi
	rm -f /tmp/promtool.$$
done

start_test_server monitoring
super -d test <<-SQL
	$(block sql 1 | sed "s/'…'/'$PGPASSWORD'/")
	SELECT client_id, client_secret FROM mogo_add_client('Never used') \gset
	SELECT client_id, client_secret FROM mogo_add_client('In use', now() + interval '20 days') \gset
	SELECT mogo_verify(:'client_id', :'client_secret'), mogo_verify(:'client_id', 'wrong');
	SELECT client_id FROM mogo_add_client('Ends soon', now() + interval '6 days') \gset
	SELECT mogo_add_client('No secret', with_secret => false);
	SELECT mogo_disable_client(client_id) FROM mogo_add_client('Off', now() + interval '1 hour');
SQL

# --- the exporter ---------------------------------------------------------------

exporter_port=$(free_port 19187)
export DATA_SOURCE_NAME="postgresql://mogo_monitor:$PGPASSWORD@127.0.0.1:$PGPORT/test?sslmode=disable"
as_user 300 prometheus-postgres-exporter --web.listen-address="127.0.0.1:$exporter_port" \
	--extend.query-path="$files/queries.yaml" --disable-default-metrics --disable-settings-metrics \
	--no-collector.database --no-collector.bgwriter >"$work/exporter.log" 2>&1 &
exporter=$!
trap 'kill "$exporter" 2>/dev/null || :; end_test_server' EXIT
for ((try = 0; try < 300; try++)); do
	curl -sf "http://127.0.0.1:$exporter_port/metrics" >"$work/metrics" && break
	sleep 0.1
done
grep '^mogocred_' "$work/metrics" | sed -E 's/server="[^"]*",?//; s/,?\}/}/; s/\{\}//' | sort >"$work/ours"
# The value of a metric, with its labels.
metric() { awk -v name="$1" '$1 == name {print $2}' "$work/ours"; }
same "$(metric mogocred_clients_enabled)" 4 'clients that are enabled'
same "$(metric mogocred_clients_disabled)" 1 'clients that are disabled'
same "$(metric mogocred_clients_without_secret)" 1 'clients without a live secret'
same "$(metric mogocred_clients_failed_checks)" 1 'failed checks'
same "$(metric 'mogocred_expiring_clients{days="1"}')" 0 'clients whose last secret ends within a day'
same "$(metric 'mogocred_expiring_clients{days="7"}')" 1 'within a week'
same "$(metric 'mogocred_expiring_clients{days="30"}')" 2 'within a month'
same "$(metric 'mogocred_secrets_number{status="active"}')" 4 'live secrets'
same "$(metric 'mogocred_secrets_uses{status="active"}')" 1 'their uses'
same "$(metric mogocred_usage_preloaded)" 1 'preloaded'
same "$(metric mogocred_usage_not_counted)" 0 'checks that were not counted'
same "$(metric 'mogocred_changes_last_day{action="client_added"}')" 5 'changes of the last day'
same "$(grep -c 'pg_exporter_user_queries_load_error.* 1$' "$work/metrics" || true)" 0 'no query failed'
# What the dashboard and the rules ask for is there; what the page names is, too.
grep -ohE 'mogocred_[a-z_]+' "$files/dashboard.json" "$files/alerts.yml" | sort -u >"$work/asked"
sed -E 's/[{ ].*//' "$work/ours" | sort -u >"$work/names"
comm -23 "$work/asked" "$work/names" >"$work/missing"
verdict 'every metric of the dashboard and of the rules is there' "$work/missing"
python3 -m json.tool "$files/dashboard.json" >/dev/null 2>"$work/json" || true
verdict 'the dashboard is JSON' "$work/json"
kill "$exporter"

# --- notices --------------------------------------------------------------------

block sql 2 | super -d test -f -
block sh 1 >"$work/home/mogocred-notices"
printf '#!/bin/sh\ncat >>%s/home/mail\n' "$work" >"$work/home/sendmail"
chmod 755 "$work/home/mogocred-notices" "$work/home/sendmail"
give "$work/home"
send() {
	as_user 60 env PATH="$bindir:$PATH" PGUSER=mogo_monitor NOTICE_TO=owner@example.com \
		SENDMAIL="${1:-$work/home/sendmail}" "$work/home/mogocred-notices" >"$work/notices.log" 2>&1
}
subjects() { grep -c '^Subject: A secret of Ends soon ends on 2' "$work/home/mail" || true; }
! send /bin/false || result FAILED 'a message that cannot be sent is no success'
same "$(ask postgres -c 'SELECT count(*) FROM notices.notice WHERE sent_at IS NULL')" 2 'what could not be sent waits'
send
same "$(subjects)" 1 'one message for a secret'
send
same "$(subjects)" 1 'and not a second one'
ask postgres -o /dev/null -c "SELECT mogo.mogo_update_secret(secret_id, now() + interval '10 days') FROM mogo.mogo_secrets WHERE client_name = 'Ends soon'"
send
same "$(subjects)" 2 'one more when its end was moved'

# pg_cron starts jobs at full minutes.
if [ -e "$("$PG_CONFIG" --pkglibdir)/pg_cron.so" ]; then
	stop_server "$work" fast
	printf '%s\n' "shared_preload_libraries = 'pg_cron, mogocred'" "cron.database_name = 'test'" \
		'cron.use_background_workers = on' >>"$work/data/postgresql.conf"
	run_as "$bindir/pg_ctl" -D "$work/data" -w -l "$work/server.log" -o "-p $port" start >/dev/null
	super -d test -c 'CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO mogo_monitor' \
		-c 'DELETE FROM notices.notice'
	ask mogo_monitor -o /dev/null -c "$(grep -F "cron.schedule('mogocred" "$page" | sed 's/0 7 \* \* \*/* * * * */')"
	for ((try = 0; try < 900; try++)); do
		[ "$(ask postgres -c 'SELECT count(*) FROM notices.notice')" = 0 ] || break
		sleep 0.1
	done
	same "$(ask postgres -c 'SELECT count(*) FROM notices.notice')" 2 'pg_cron finds what ends'
	same "$(ask postgres -c 'SELECT DISTINCT username FROM cron.job_run_details')" mogo_monitor 'as the monitor'
else
	say "  skipped pg_cron: this PostgreSQL has none (Debian: postgresql-$("$PG_CONFIG" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')-cron)"
fi
totals
