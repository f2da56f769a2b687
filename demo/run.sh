#!/usr/bin/env bash
#
# demo/run.sh demo | demo-stop | demo-console | demo-token-service
#	What the Makefile's targets of the same names call: the product's page in one minute,
#	on a throw-away server; and the examples on that server, in the foreground (PORT
#	chooses a port).
#
# Everything is in $demo but the client's JSON file, and demo_stop removes both.
# Rule: a secret or a password is never in a command line, where `ps` shows it; it
# goes from file to psql's standard input.

set -euo pipefail
lib=$(dirname "$0")/../test/lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/server.sh
. "$lib/server.sh"

# test/demo/run.sh names another one, since this user's own demo may be running.
demo=${MOGOCRED_DEMO:-/tmp/mogocred-demo-$(id -un)}
client=Mogoplus_testaccount

# --- words on the screen ------------------------------------------------------

title() { printf '\n%s\n\n' "$*"; }
indent() { sed 's/^/    /'; }

# Runs SQL as a role and shows both the SQL and the answer. $1 admin or service, $2 the SQL.
show() {
	printf '%s\n' "$2" | sed 's/^/    demo=> /'
	"$1" <<<"$2" 2>&1 | indent
}

# The same for the superuser's SQL that only has an effect, so that its answer is empty.
effect() {
	say "    demo=# $1"
	demo_super <<<"$1" 2>&1 >/dev/null | indent
}

# --- who asks -----------------------------------------------------------------

demo_super() { socket_psql "$demo" postgres -d demo "$@"; }
admin() { socket_psql "$demo" demo_admin -d demo "$@"; }

# A token service is on another machine as a rule: TCP and a password.
service() {
	PGPASSFILE=$demo/pgpass "$bindir/psql" -Xq -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U demo_token_service -d demo "$@"
}

# --- the server ---------------------------------------------------------------

# Makes $demo, installs into it and starts the server.
start_demo_server() {
	# The top is the caller's, so that demo_stop can tell whose demo it is.
	mkdir -m 711 "$demo"
	start_server "$demo" 54320 <<-CONF
		cluster_name = 'mogocred demo'
		# A statement that fails, and its parameters, may hold a secret.
		log_min_error_statement = panic
		log_parameter_max_length = 0
		log_parameter_max_length_on_error = 0
	CONF
}

# Hands a file to whoever called sudo.
to_caller() { [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID" "$@"; }

# The database, the extension and the two roles that a deployment has.
set_up() {
	local admin_password service_password
	admin_password=$(random_password) service_password=$(random_password)
	(umask 077 && printf '127.0.0.1:%s:demo:%s\n' "$port" "demo_admin:$admin_password" \
		"$port" "demo_token_service:$service_password" >"$demo/pgpass")
	to_caller "$demo/pgpass"
	demo_super -d postgres <<-SQL
		CREATE ROLE demo_admin LOGIN PASSWORD '$admin_password';
		CREATE ROLE demo_token_service LOGIN PASSWORD '$service_password';
		CREATE DATABASE demo;
	SQL
	effect "CREATE SCHEMA mogo;"
	effect "CREATE EXTENSION IF NOT EXISTS pgcrypto;"
	effect "CREATE EXTENSION mogocred SCHEMA mogo;"
	effect "SELECT mogo.mogo_grant_admin('demo_admin');"
	effect "SELECT mogo.mogo_grant_verifier('demo_token_service');"
}

# --- the commands -------------------------------------------------------------

# shellcheck disable=SC2016	# the parameters are the statement's
prepare='PREPARE check_client (text, text) AS SELECT client_name FROM mogo.mogo_authenticate($1, $2);'

# Prints what the token service is told for the id and the secret that stand on the two
# lines of its input: the client's name, or nothing.
check() {
	local id secret
	read -r id && read -r secret
	service -At <<-SQL
		\\set id '$id'
		\\set secret '$secret'
		$prepare
		EXECUTE check_client (:'id', :'secret');
	SQL
}

# Prints a member of the client's JSON file.
member() { sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p' "$json"; }

# The EXIT trap until the demo got to its end. $1 the status: 1 where something failed,
# whose logs stay; else Ctrl-C, also where bash died of it or a command did before bash
# ran its own trap, and what the demo made goes with it.
leave_demo() {
	trap - EXIT
	trap '' INT TERM
	stop_progress
	if [ "$1" != 0 ] && [ "$1" -lt 128 ]; then
		say "The demo did not get to its end. Its logs are in $demo; \`make demo-stop\` deletes it."
		exit "$1"
	fi
	say
	say "mogocred: interrupted."
	demo_stop
	exit 130
}

demo() {
	local sql right wrong found psql
	json=$PWD/$client.json
	say "mogocred demo: an administrator adds an API client, a token service checks its secret."
	say
	say "It builds mogocred into a private copy of PostgreSQL and starts a server with it on"
	say "127.0.0.1: half a minute, and 100 MB in $demo. The Debian packages"
	say "that are missing are installed first. On a machine that has none of them (PostgreSQL and"
	say "its headers, a C compiler) that takes two minutes and 1.2 GB; these stay. Ctrl-C ends it"
	say "at any time, and \`make demo-stop\` deletes everything but the packages."
	say
	if [ -e "$demo" ]; then
		say "A demo from before is still here. It is stopped and replaced."
		demo_stop
	fi
	need_packages demo

	title "1. Build mogocred and start a throw-away server"
	trap 'leave_demo $?' EXIT
	trap 'exit 130' INT TERM
	say "    copying $("$PG_CONFIG" --version), compiling mogocred, making a database"
	start_demo_server
	say "    server started on 127.0.0.1:$port, everything it has is in $demo"

	title "2. Create the extension, and the two roles a deployment has: who manages and who checks"
	set_up

	title "3. The administrator adds a client by name and keeps its credentials in a file"
	sql="SELECT mogo.mogo_credentials_json(c) FROM mogo.mogo_add_client('$client') AS c"
	say "    \$ psql -At -c \"$sql\" > $client.json"
	rm -f "$json"
	(umask 077 && admin -At -c "$sql" >"$json")
	to_caller "$json"
	echo "$json" >"$demo/json"
	say "    \$ cat $client.json"
	indent <"$json"
	say
	say "    It will not be shown again: the database keeps a hash. Only you can read the file."

	title "4. The token service asks: do this id and this secret belong together?"
	say "    demo=> $prepare"
	right=$( (member clientId && member clientSecret) | check)
	say "    demo=> EXECUTE check_client ('$(member clientId)', <the secret in the file>);"
	say "    $right   (a row: they do)"
	wrong=$( (member clientId && echo 00000000-0000-0000-0000-000000000000) | check)
	say "    demo=> EXECUTE check_client ('$(member clientId)', '00000000-0000-0000-0000-000000000000');"
	say "    ${wrong:-(no row: they do not)}"
	[ "$right:$wrong" = "$client:" ] || die "the token service should have been told a row and no row"
	say
	say "    The token service can check and nothing else:"
	! show service "SELECT * FROM mogo.mogo_add_client('Intruder');" || die "the token service could add a client"

	title "5. The administrator's list, and who did what"
	show admin "SELECT client_name, client_id, enabled, live_secrets FROM mogo.mogo_clients;"
	show admin "SELECT at::time(0), actor, action, client_name, detail FROM mogo.mogo_audit ORDER BY at;"

	title "6. Is the secret in anything that the server wrote: tables, WAL, log?"
	demo_super -c CHECKPOINT
	found=$(member clientSecret | grep -rlF -f - "$demo/data" "$demo/server.log" || true)
	say "    files with the secret in them: ${found:-none}"
	[ -z "$found" ] || die "the secret should be nowhere"
	trap - EXIT INT TERM

	title "The server is still running. To go on:"
	psql=$(command -v psql >/dev/null && echo psql || echo "$bindir/psql")
	say "    as the administrator      PGPASSFILE=$demo/pgpass $psql -h 127.0.0.1 -p $port -U demo_admin demo"
	say "    and try there             SELECT * FROM mogo.mogo_add_client('My first client');"
	say "    as the token service      PGPASSFILE=$demo/pgpass $psql -h 127.0.0.1 -p $port -U demo_token_service demo"
	say "    from a program            postgresql://demo_token_service@127.0.0.1:$port/demo, password in $demo/pgpass"
	say "    in a browser              make demo-console         (the product's page)"
	say "    as the API's clients do   make demo-token-service   (an OAuth 2.0 token endpoint)"
	say "    read the server's log     $demo/server.log"
	say "    stop and delete it all    make demo-stop   (deletes $demo and $client.json)"
}

# Ends the console and the token service that run on this demo. They are found by what
# their command line names: a pid in a file may be anybody's by now.
end_examples() {
	local proc pid words found=
	for proc in /proc/[0-9]*/cmdline; do
		words=()
		mapfile -d '' -t words 2>/dev/null <"$proc" || continue
		[[ ${words[0]:-} == *node && ${words[1]:-} == "$demo"/*/server.mjs ]] || continue
		pid=${proc//[!0-9]/}
		if kill "$pid" 2>/dev/null; then
			found+=" $pid"
			words[1]=${words[1]#"$demo"/}
			say "Ended the demo's ${words[1]%%.*}."
		fi
	done
	# Each takes its own files with it.
	for pid in $found; do
		for _ in {1..50}; do
			[ -e "/proc/$pid" ] || break
			sleep 0.1
		done
	done
}

demo_stop() {
	local port bindir libs found=0 json=
	if [ ! -e "$demo" ]; then
		say "No demo of $(id -un) is running, there is nothing to stop."
		return
	fi
	if [ -L "$demo" ] || [ ! -O "$demo" ]; then
		die "$demo belongs to somebody else"
	fi
	end_examples
	# Whoever answers at the socket is ours; a pid in a file may be anybody's by now.
	if { read -r port && read -r bindir && read -r libs; } 2>/dev/null <"$demo/where"; then
		local -x LD_LIBRARY_PATH=$libs
		"$bindir/pg_isready" -q -h "$demo/socket" -p "$port" || found=$?
		if [ "$found" != 2 ]; then
			run_as "$bindir/pg_ctl" -D "$demo/data" -w -m fast stop >/dev/null ||
				die "the server does not stop, see $demo/server.log"
		fi
	fi
	[ ! -e "$demo/json" ] || json=$(cat "$demo/json")
	rm -rf "$demo" ${json:+"$json"}
	say "The demo's server is stopped; deleted $demo${json:+ and $json}."
}

# Runs an example on the demo's server: $1 its name, $2 the role that it is for, $3 the
# port that it listens on if it can.
demo_example() {
	local work copy pgport rc=0
	[ -r "$demo/where" ] || die "no demo of $(id -un) is running here: make demo"
	{ [ -O "$demo" ] && [ ! -L "$demo" ]; } || die "$demo belongs to somebody else"
	read -r pgport <"$demo/where"
	say "This needs Node.js with npm, and some packages from npm. What is missing is installed: three"
	say "minutes and 170 MB from Debian on a machine without Node.js (these stay), 30 MB from npm."
	need_debian nodejs npm

	# Each start has a directory of its own, which goes with it.
	work=$(mktemp -d "$demo/$1.XXXXXX")
	chmod 711 "$work"
	# shellcheck disable=SC2064	# the directory that it is now
	trap "stop_progress; rm -rf '$work'" EXIT
	trap 'exit 130' INT TERM
	show_progress "still fetching"
	need_node
	copy=$(npm_copy "examples/$1")
	stop_progress
	mkdir "$work/home"
	give "$work/home"

	export PGHOST=127.0.0.1 PGPORT=$pgport PGDATABASE=demo PORT=${PORT:-$3}
	if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
		say "Port $PORT is taken, another one is used."
		PORT=$(free_port 3100)
	fi
	if [ "$1" = admin-console ]; then
		say "Sign in as $2. The password is what this prints:  sed -n 's/.*:$2://p' $demo/pgpass"
	else
		# As a service gets it: from the environment, not from a command line.
		PGPASSWORD=$(sed -n "s/.*:$2://p" "$demo/pgpass")
		export PGUSER=$2 PGPASSWORD
		say "Ask for a token with the file that the demo left, for example, in another terminal:"
		# Node.js is there, curl may not be.
		cat <<-EOF
		    node -e '
		      const { clientId, clientSecret } = require("$(cat "$demo/json")")
		      const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret })
		      fetch("http://127.0.0.1:$PORT/api/v1/oauth2/token?grant_type=client_credentials",
		        { method: "POST", body }).then((answer) => answer.text()).then(console.log)'
		EOF
	fi
	say "Ctrl-C ends it, and so does \`make demo-stop\`."
	run_as env HOME="$work/home" node "$copy/server.mjs" || rc=$?
	# 143: ended by demo-stop, or by whoever else asked for it.
	case $rc in 0 | 130 | 143) ;; *) exit "$rc" ;; esac
}

case ${1:-} in
	demo) demo ;;
	demo-stop) demo_stop ;;
	demo-console) demo_example admin-console demo_admin 3001 ;;
	demo-token-service) demo_example token-service demo_token_service 3000 ;;
	*) die "usage: demo/run.sh demo | demo-stop | demo-console | demo-token-service" ;;
esac
