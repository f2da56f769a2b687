#!/usr/bin/env bash
#
# test/servers/run.sh
#	What `make test-servers` calls: cuts the configurations out of doc/servers.md, puts
#	this run's ports, paths and password into them, and asks each server with a right
#	pair and with wrong ones. ONLY="nginx pam" runs some. The last line is
#	"N passed, N failed".

set -euo pipefail
lib=$(dirname "$0")/../lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$lib/results.sh"
# shellcheck source=test/lib/server.sh
. "$lib/server.sh"

servers=$SRC/test/servers
pids=()
pam_service='' standby=''

# --- what all have in common --------------------------------------------------

# Whether Debian's package $1 is installed or can be.
can_have() {
	dpkg-query -Wf '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed' || apt-cache show "$1" >/dev/null 2>&1
}

# Installs server $1's packages from the file. Returns whether this Debian has them.
need_server_packages() {
	local package wanted
	read -ra wanted < <(sed -n "s/^$1  *//p" "$servers/packages") || true
	for package in "${wanted[@]}"; do
		can_have "$package" || as_root apt-get -q update </dev/null >/dev/null
		can_have "$package" || { say "  skipped $1: Debian $(cat /etc/debian_version) has no $package"; return 1; }
	done
	[ ${#wanted[@]} = 0 ] || need_debian "${wanted[@]}"
	[ "$1" = all ] || [ ${#wanted[@]} = 0 ] || say "$1: Debian's $(dpkg-query -Wf '${Package} ${Version}, ' "${wanted[@]}" | sed 's/, $//')"
}

# Prints the block $1 of the page with what this run has in place of the page's ports,
# password and directories. $2 is the server's port, $3 the directory of its files.
block() {
	sed -E -e "s/127\.0\.0\.1:(8080|80)\b/127.0.0.1:$2/; s/\b(9999|6432|5000)\b/$2/" \
		-e "s/127\.0\.0\.1:8081/127.0.0.1:$api/; s/\b9091\b/$check/" \
		-e "s/\b5432\b/$PGPORT/; s/\b5433\b/${standby:-1}/; s/\b(password ?= ?\"?)secret\b/\1$PGPASSWORD/" \
		-e "s/PGPASSWORD=secret/PGPASSWORD=$PGPASSWORD/" \
		-e "s,/etc/(haproxy|apache2|dovecot|pgbouncer)/,$3/,; s,/usr/local/sbin/mogo-pam,$3/mogo-pam,; s,/etc/mogo-pam.pgpass,$3/pgpass," \
		"$work/blocks/$1"/snippet.*
}

# Starts a program as the unprivileged user, until the end of the run. $1 its log, $2... it.
start() {
	local log=$1 user
	shift
	user=$(server_user)
	if [ "$(id -u)" = 0 ]; then
		(cd / && exec setpriv --reuid="$user" --regid="$(id -gn "$user")" --clear-groups env HOME="$work/home" "$@") >"$log" 2>&1 &
	else
		(cd / && exec env HOME="$work/home" "$@") >"$log" 2>&1 &
	fi
	pids+=($!)
}

# Waits until something listens on port $1, for at most 30 seconds.
listening() {
	local try
	for ((try = 0; try < 300; try++)); do
		! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

end_servers() {
	local rc=$?
	set +e
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
	wait
	[ -z "$pam_service" ] || rm -f "/etc/pam.d/$pam_service"
	[ -z "$standby" ] || stop_server "$work/standby" immediate
	(exit "$rc")
	end_test_server
}

# Counts one check. $1 its name, $2... a command that has to succeed.
check_that() {
	local name=$1
	shift
	if "$@"; then result ok "$name"; else result FAILED "$name"; fi
}

# Runs SQL as the administrator and prints what it gives.
admin() { PGPASSWORD=$PGPASSWORD PGUSER=test_admin PGDATABASE=app "$bindir/psql" -XAtq -F ' ' -v ON_ERROR_STOP=1 -c "$1" 2>>"$work/psql.log"; }

# The same for SQL that only has an effect.
change() { admin "$1" >/dev/null; }

# Makes a client with the name $1; sets id, secret and secret_id.
new_client() { read -r id secret secret_id < <(admin "SELECT client_id, client_secret, secret_id FROM mogo.mogo_add_client('$1')"); }

# --- servers in front of an API -----------------------------------------------

# Prints the status that URL $1 gives, and leaves the answer in $work/answer and
# $work/headers. $2... are curl's.
status_of() { curl -s -o "$work/answer" -D "$work/headers" -w '%{http_code}' -m 20 "$@"; }

sees() { grep -q "\"x-client-id\":\"$1\"" "$work/answer" && ! grep -q '"authorization"' "$work/answer"; }

# Asks server $1 at URL $2.
ask_front() {
	local name=$1 url=$2 id secret secret_id
	new_client "$name"
	check_that "$name: the right pair" [ "$(status_of "$url" -u "$id:$secret")" = 200 ]
	check_that "$name: the API gets the client's id and no secret" sees "$id"
	check_that "$name: a name in X-Client-Id that the caller sent is dropped" \
		[ "$(status_of "$url" -u "$id:$secret" -H 'X-Client-Id: someone-else')" = 200 ]
	check_that "$name: and the API gets the right one" sees "$id"
	check_that "$name: a wrong secret" [ "$(status_of "$url" -u "$id:wrong")" = 401 ]
	check_that "$name: WWW-Authenticate is there" grep -qi '^www-authenticate: basic' "$work/headers"
	check_that "$name: an id that is not a UUID, with quotes" [ "$(status_of "$url" -u "' OR true --:$secret")" = 401 ]
	check_that "$name: no Authorization" [ "$(status_of "$url" -H "X-Client-Id: $id")" = 401 ]
	change "SELECT mogo.mogo_revoke_secret('$secret_id')"
	check_that "$name: a revoked secret" [ "$(status_of "$url" -u "$id:$secret")" = 401 ]
	new_client "$name, from elsewhere"
	change "SELECT mogo.mogo_update_client('$id', allowed_cidrs => '{10.0.0.0/8}')"
	check_that "$name: a client of another network" [ "$(status_of "$url" -u "$id:$secret")" = 401 ]
	change "SELECT mogo.mogo_update_client('$id', allowed_cidrs => '{127.0.0.0/8}')"
	check_that "$name: a client of this network" [ "$(status_of "$url" -u "$id:$secret")" = 200 ]
}

start_check_service() {
	api=$(free_port 21000) check=$(free_port 22000)
	block check.mjs 0 "$node" >"$node/check.mjs"
	start "$work/api.log" node "$servers/api.mjs" "$api"
	start "$work/check.log" env PGUSER=my_service PGDATABASE=app node "$node/check.mjs"
	check_pid=${pids[-1]}
	listening "$api" && listening "$check"
}

test_nginx() {
	local dir=$1 at=$2
	{
		printf 'daemon off;\npid %s/pid;\nerror_log %s/error.log;\nevents {}\nhttp {\naccess_log off;\n' "$dir" "$dir"
		printf '%s_temp_path %s/tmp;\n' client_body "$dir" proxy "$dir" fastcgi "$dir" uwsgi "$dir" scgi "$dir"
		block nginx.conf "$at" "$dir"
		echo '}'
	} >"$dir/nginx.conf"
	start "$dir/log" /usr/sbin/nginx -e "$dir/error.log" -p "$dir" -c "$dir/nginx.conf"
	listening "$at"
	ask_front nginx "http://127.0.0.1:$at/"
}

test_haproxy() {
	local dir=$1 at=$2
	block haproxy.cfg "$at" "$dir" >"$dir/haproxy.cfg"
	block haproxy.lua "$at" "$dir" >"$dir/mogo.lua"
	start "$dir/log" /usr/sbin/haproxy -db -f "$dir/haproxy.cfg"
	listening "$at"
	ask_front haproxy "http://127.0.0.1:$at/"
}

test_apache() {
	local dir=$1 at=$2 module
	{
		for module in mpm_event authz_core dbd rewrite headers proxy proxy_http; do
			echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
		done
		printf 'ServerRoot %s\nPidFile %s/pid\nErrorLog %s/error.log\nServerName localhost\nListen 127.0.0.1:%s\n' \
			"$dir" "$dir" "$dir" "$at"
		block apache.conf "$at" "$dir"
	} >"$dir/apache.conf"
	start "$dir/log" /usr/sbin/apache2 -D FOREGROUND -f "$dir/apache.conf"
	listening "$at"
	ask_front apache "http://127.0.0.1:$at/api/"
}

# What has to be asked when the check service is gone.
test_without_check_service() {
	local server
	kill "$check_pid"
	new_client "while the service is down"
	for server in nginx haproxy; do
		[ -n "${port_of[$server]:-}" ] || continue
		check_that "$server: without the check service nobody is let in" \
			[ "$(status_of "http://127.0.0.1:${port_of[$server]}/" -u "$id:$secret")" != 200 ]
	done
}

# --- servers that ask the database --------------------------------------------

# Asks server $1 with the command $2..., which gets an id and a secret as its last
# arguments and has to say whether they are right.
ask_login() {
	local name=$1 id secret secret_id
	shift
	new_client "$name"
	check_that "$name: the right pair" "$@" "$id" "$secret"
	check_that "$name: a wrong secret" fails "$@" "$id" wrong
	check_that "$name: an id that is not a UUID, with quotes" fails "$@" "' OR true --" "$secret"
	check_that "$name: a secret with quotes" fails "$@" "$id" "' OR true --"
	change "SELECT mogo.mogo_revoke_secret('$secret_id')"
	check_that "$name: a revoked secret" fails "$@" "$id" "$secret"
}

fails() { ! "$@"; }

# Dovecot starts its own processes as several users, so this one is root's, in a directory
# of its own.
test_dovecot() {
	local dir=$1 at=$2
	[ "$(id -u)" = 0 ] || { say "  skipped dovecot: it wants root"; return; }
	block dovecot-sql.conf "$at" "$dir" >"$dir/dovecot-sql.conf"
	{
		printf 'base_dir = %s/run\nlog_path = %s/log\nprotocols =\nssl = no\ndefault_internal_user = %s\ndefault_login_user = %s\n' \
			"$dir" "$dir" "$(server_user)" nobody
		printf 'default_internal_group = %s\nuserdb {\n  driver = static\n  args = uid=nobody gid=nogroup home=/tmp\n}\n' \
			"$(id -gn "$(server_user)")"
		block dovecot.conf "$at" "$dir"
	} >"$dir/dovecot.conf"
	/usr/sbin/dovecot -F -c "$dir/dovecot.conf" >"$dir/out" 2>&1 &
	pids+=($!)
	for _ in {1..100}; do [ ! -S "$dir/run/auth-client" ] || break; sleep 0.1; done
	ask_login dovecot dovecot_login
}

dovecot_login() {
	doveadm -c "$work/dovecot/dovecot.conf" auth test -x service=imap -x rip=127.0.0.1 "$1" "$2" >>"$work/dovecot/test" 2>&1
}

test_freeradius() {
	local dir=$1 at=$2
	{
		printf 'name = mogo\nprefix = /usr\nlogdir = %s\nraddbdir = %s\nrun_dir = %s\nlibdir = /usr/lib/freeradius\n' "$dir" "$dir" "$dir"
		printf 'security {\n}\nmodules {\n always reject {\n rcode = reject\n }\n'
		block radius-sql "$at" "$dir"
		printf '}\nclient local {\n ipaddr = 127.0.0.1\n secret = testing123\n}\nserver default {\n'
		printf 'listen {\n type = auth\n ipaddr = 127.0.0.1\n port = %s\n}\n' "$at"
		block radius-site "$at" "$dir"
		printf '}\n'
	} >"$dir/radiusd.conf"
	start "$dir/log" /usr/sbin/freeradius -f -l stdout -d "$dir" -n radiusd
	for _ in {1..100}; do ! grep -q 'Ready to process' "$dir/log" || break; sleep 0.1; done
	radius_port=$at
	ask_login freeradius radius_login
}

radius_login() {
	printf 'User-Name = "%s"\nUser-Password = "%s"\n' "$1" "$2" |
		radclient -r 2 -t 3 "127.0.0.1:$radius_port" auth testing123 >>"$work/freeradius/test" 2>&1
}

test_pam() {
	local dir=$1 at=$2
	[ "$(id -u)" = 0 ] || { say "  skipped pam: it wants root"; return; }
	pam_service=$(tr '[:upper:]' '[:lower:]' <<<"${work##*/}")
	block mogo-pam.sh "$at" "$dir" >"$dir/mogo-pam"
	chmod 755 "$dir/mogo-pam"
	echo "127.0.0.1:$PGPORT:app:my_service:$PGPASSWORD" >"$dir/pgpass"
	chmod 600 "$dir/pgpass"
	block pam.service "$at" "$dir" >"/etc/pam.d/$pam_service"
	ask_login pam pam_login
	rm "/etc/pam.d/$pam_service"
}

pam_login() {
	printf '%s\n' "$2" | env -u PGPASSWORD timeout 20 pamtester "$pam_service" "$1" authenticate >>"$work/pam/test" 2>&1
}

# --- fronts and poolers of the database ---------------------------------------

test_postgraphile() {
	local dir=$1 at=$2 answer
	super -d app <"$work/blocks/postgraphile.sql/snippet.sql"
	super -d app -c "CREATE ROLE my_front LOGIN PASSWORD '$PGPASSWORD' IN ROLE api_admin" \
		-c "ALTER ROLE my_front SET log_parameter_max_length = 0"
	block postgraphile.sh "$at" "$dir" >"$dir/run"
	start "$dir/log" env PATH="$node/node_modules/.bin:$PATH" sh "$dir/run"
	listening "$at"
	answer=$(graphql "$at" 'mutation { addClient(input: {name: "by graphql"}) { result { clientId clientSecret } } }')
	id=$(sed -n 's/.*"clientId":"\([^"]*\).*/\1/p' <<<"$answer")
	secret=$(sed -n 's/.*"clientSecret":"\([^"]*\).*/\1/p' <<<"$answer")
	check_that "postgraphile: a client is added" [ -n "$secret" ]
	check_that "postgraphile: and its secret is good" [ "$(admin "SELECT mogo.mogo_verify('$id', '$secret')")" = t ]
	check_that "postgraphile: nothing of the schema mogo is shown" [ "$(graphql "$at" \
		'{ __schema { mutationType { fields { name } } } }')" = '{"data":{"__schema":{"mutationType":{"fields":[{"name":"addClient"}]}}}}' ]
	check_that "postgraphile: the audit names the login and the owner" [ "$(admin "SELECT actor, acting_as FROM mogo.mogo_audit
		WHERE client_name = 'by graphql'")" = "my_front my_admin" ]
	check_that "postgraphile: the secret is not in the server's log" fails grep -qa -- "$secret" "$work/server.log"
	super -d app -c "ALTER ROLE my_front RESET log_parameter_max_length"
	kill "${pids[-1]}"
	while (exec 3<>"/dev/tcp/127.0.0.1/$at") 2>/dev/null; do sleep 0.1; done
	start "$dir/log2" env PATH="$node/node_modules/.bin:$PATH" sh "$dir/run"
	listening "$at"
	answer=$(graphql "$at" 'mutation { addClient(input: {name: "logged"}) { result { clientSecret } } }')
	secret=$(sed -n 's/.*"clientSecret":"\([^"]*\).*/\1/p' <<<"$answer")
	check_that "postgraphile: (control) another is added" [ -n "$secret" ]
	check_that "postgraphile: (control) where parameters are logged it is" grep -qa -- "$secret" "$work/server.log"
}

graphql() { curl -s -m 20 "http://127.0.0.1:$1/graphql" --json "{\"query\":\"${2//\"/\\\"}\"}"; }

# A standby, for pgpool-II.
start_standby() {
	mkdir -m 700 "$work/standby" "$work/standby/data" "$work/standby/socket"
	give "$work/standby"
	run_as env PGPASSWORD="$PGPASSWORD" "$bindir/pg_basebackup" -h 127.0.0.1 -p "$PGPORT" -U postgres -D "$work/standby/data" -R \
		--checkpoint=fast --no-sync
	standby=$(free_port 23000)
	run_as "$bindir/pg_ctl" -D "$work/standby/data" -w -l "$work/standby/log" \
		-o "-p $standby -c unix_socket_directories=$work/standby/socket" start >/dev/null
}

test_pgpool() {
	local dir=$1 at=$2
	start_standby
	{
		block pgpool.conf "$at" "$dir"
		printf "unix_socket_directories = '%s'\npcp_socket_dir = '%s'\npcp_port = %s\npid_file_name = '%s/pid'\nlogdir = '%s'\n" \
			"$dir" "$dir" "$((at + 1))" "$dir" "$dir"
		printf "sr_check_user = 'postgres'\nsr_check_password = '%s'\nsr_check_period = 1\nwork_dir = '%s'\nfailover_on_backend_error = off\n" \
			"$PGPASSWORD" "$dir"
		printf "enable_pool_hba = on\npool_passwd = 'pool_passwd'\nallow_clear_text_frontend_auth = off\nhealth_check_period = 0\n"
	} >"$dir/pgpool.conf"
	echo 'host all all 127.0.0.1/32 scram-sha-256' >"$dir/pool_hba.conf"
	printf '%s:TEXT%s\n' test_admin "$PGPASSWORD" >"$dir/pool_passwd"
	touch "$dir/pcp.conf"
	give "$dir"
	start "$dir/log" /usr/sbin/pgpool -n -f "$dir/pgpool.conf" -F "$dir/pcp.conf" -a "$dir/pool_hba.conf"
	listening "$at"
	new_client pgpool
	for _ in {1..100}; do [ "$(on_standby "SELECT count(*) FROM mogo.mogo_clients WHERE client_id = '$id'")" != 1 ] || break; sleep 0.1; done
	check_that "pgpool: a check gets its row" [ "$(through pgpool "$at" \
		"SELECT client_name FROM mogo.mogo_authenticate('$id', '$secret')")" = pgpool ]
	check_that "pgpool: from the standby" [ "$(asked "$at")" = "0 1" ]
	through pgpool "$at" "SELECT client_name FROM mogo_authenticate('$id', '$secret')" >/dev/null || true
	check_that "pgpool: the bare name, too" [ "$(asked "$at")" = "0 2" ]
	check_that "pgpool: a change is made" [ -n "$(through pgpool "$at" \
		"SELECT secret_id FROM mogo.mogo_add_client('added by pgpool')")" ]
	check_that "pgpool: on the primary" [ "$(asked "$at")" = "1 2" ]
	mkdir "$dir/unlisted"
	sed -E "/^read_only_function_list/d; s/\b$at\b/$((at + 5))/; s/^(pcp_port = ).*/\1$((at + 6))/; s,'$dir,&/unlisted," \
		"$dir/pgpool.conf" >"$dir/unlisted/pgpool.conf"
	cp "$dir/pool_passwd" "$dir/pool_hba.conf" "$dir/unlisted/"
	give "$dir/unlisted"
	at=$((at + 5))
	start "$dir/log2" /usr/sbin/pgpool -n -f "$dir/unlisted/pgpool.conf" -F "$dir/pcp.conf" -a "$dir/pool_hba.conf"
	listening "$at"
	through pgpool "$at" "SELECT client_name FROM mogo.mogo_authenticate('$id', '$secret')" >/dev/null
	check_that "pgpool: without the list a check goes to the primary" [ "$(asked "$at")" = "1 0" ]
}

# Prints how many SELECTs pgpool-II sent to the primary and to the standby.
asked() { PGUSER=test_admin PGDATABASE=app "$bindir/psql" -XAtq -p "$1" -c 'SHOW POOL_NODES' | cut -d'|' -f9 | tr '\n' ' ' | sed 's/ $//'; }

on_standby() { PGUSER=test_admin PGDATABASE=app "$bindir/psql" -XAtq -p "$standby" -c "$1" 2>>"$work/psql.log"; }

# Runs SQL as the administrator through the pooler $1 on port $2.
through() { PGUSER=test_admin PGDATABASE=app timeout 30 "$bindir/psql" -XAtq -p "$2" -v ON_ERROR_STOP=1 -c "$3" 2>>"$work/$1/psql.log"; }

test_pgbouncer() {
	local dir=$1 at=$2
	block pgbouncer.ini "$at" "$dir" >"$dir/pgbouncer.ini"
	printf '"test_admin" "%s"\n' "$PGPASSWORD" >"$dir/userlist.txt"
	give "$dir"
	start "$dir/log" /usr/sbin/pgbouncer "$dir/pgbouncer.ini"
	listening "$at"
	new_client pgbouncer
	check_that "pgbouncer: a check gets its row" [ "$(through pgbouncer "$at" \
		"SELECT client_name FROM mogo.mogo_authenticate('$id', '$secret')")" = pgbouncer ]
	check_that "pgbouncer: a wrong secret gets none" [ "$(through pgbouncer "$at" \
		"SELECT client_name FROM mogo.mogo_authenticate('$id', 'wrong')")" = "" ]
	through pgbouncer "$at" "SELECT mogo.mogo_revoke_secret('$secret_id')" >/dev/null
	check_that "pgbouncer: a revocation is seen by the next check" [ "$(through pgbouncer "$at" \
		"SELECT client_name FROM mogo.mogo_authenticate('$id', '$secret')")" = "" ]
}

# --- the run ------------------------------------------------------------------

all=(nginx haproxy apache dovecot freeradius pam postgraphile pgpool pgbouncer)
declare -A port_of
need_server_packages all
start_test_server servers
trap end_servers EXIT
need_node
super -d postgres -c 'CREATE DATABASE app'
super -d app <<-SQL
	CREATE SCHEMA mogo;
	CREATE EXTENSION mogocred SCHEMA mogo CASCADE;
	CREATE ROLE my_service LOGIN PASSWORD '$PGPASSWORD';
	CREATE ROLE my_admin;
	SELECT mogo.mogo_grant_admin('test_admin'), mogo.mogo_grant_admin('my_admin'), mogo.mogo_grant_verifier('my_service');
SQL
mkdir "$work/blocks"
awk -v to="$work/blocks" -f "$SRC/test/drivers/lib/snippets.awk" "$SRC/doc/servers.md" >/dev/null
node=$(npm_copy test/servers)
start_check_service
next=24000
for server in ${ONLY:-"${all[@]}"}; do
	need_server_packages "$server" || continue
	mkdir "$work/$server"
	port_of[$server]=$(free_port "$next")
	next=$((port_of[$server] + 10))
	give "$work/$server"
	"test_$server" "$work/$server" "${port_of[$server]}" || result FAILED "$server: the test did not get to its end"
done
test_without_check_service
totals
