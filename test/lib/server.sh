# shellcheck shell=bash disable=SC2154	# what install.sh and results.sh set
#
# test/lib/server.sh
#	A throw-away server that listens on the loopback address, for the demo and for the
#	tests with other people's programs, and these programs (from Debian and npm).
#
# Sourced, after install.sh.

# --- other people's software --------------------------------------------------

# Installs those of the given Debian packages that are missing. nodejs and npm count
# as there where the commands are, whoever packaged them; so does a JDK.
need_debian() {
	local package lacking=()
	for package; do
		case $package in
			nodejs) command -v node >/dev/null && continue ;;
			npm) command -v npm >/dev/null && continue ;;
			default-jdk-headless) command -v javac >/dev/null && continue ;;
		esac
		dpkg-query -Wf '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || lacking+=("$package")
	done
	[ ${#lacking[@]} = 0 ] || apt_install "${lacking[@]}"
}

# The packages want Node.js 20, and Debian 12 has 18: then a newer one comes from npm,
# below $work, and goes with it.
need_node() {
	local arch
	[ "$(node -p 'parseInt(process.versions.node)')" -lt 20 ] || return 0
	case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) die "Node.js 20 or newer is wanted, this is $(node --version)" ;; esac
	say "mogocred: Node.js 20 from npm, as $(node --version) is too old"
	npm install --prefix "$work/node" --ignore-scripts --no-audit --no-fund "node-linux-$arch@20" >"$work/npm.log" 2>&1 || {
		cat "$work/npm.log" >&2
		die "npm could not install node-linux-$arch"
	}
	export PATH="$work/node/node_modules/node-linux-$arch/bin:$PATH"
}

# Copies a directory with a package-lock.json into $work and installs what it locks.
# $1 the directory below the source tree. Prints where the copy is.
npm_copy() {
	local copy=$work/${1//\//-}
	say "mogocred: fetching what $1 needs from npm" >&2
	mkdir "$copy"
	(cd "$SRC/$1" && tar -c --exclude=node_modules .) | tar -x -C "$copy"
	(cd "$copy" && npm ci --ignore-scripts --no-audit --no-fund >"$work/npm.log" 2>&1) || {
		cat "$work/npm.log" >&2
		die "npm ci failed in $1"
	}
	give "$copy"
	echo "$copy"
}

# --- the server ---------------------------------------------------------------

# Prints the first TCP port of the loopback address, from $1 on, that nothing listens on.
free_port() {
	local port
	for ((port = $1; port < $1 + 80; port++)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
	die "no free port between $1 and $(($1 + 79))"
}

random_password() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# Installs mogocred and starts a server below directory $1, on the first free port from $2
# on; standard input is what else is in its configuration file. Sets bindir and port, and
# leaves in the file where what a later run needs to stop it.
start_server() {
	local dir=$1
	private_install "$dir"
	mkdir -m 700 "$dir/data" "$dir/socket"
	touch "$dir/server.log"
	give "$dir/data" "$dir/socket" "$dir/server.log"
	run_as "$bindir/initdb" -D "$dir/data" -U postgres --encoding=UTF8 --no-locale --no-sync \
		--auth-local=trust --auth-host=scram-sha-256 >"$dir/initdb.log"
	{
		printf '%s\n' "listen_addresses = '127.0.0.1'" "unix_socket_directories = '$dir/socket'" \
			"shared_preload_libraries = 'mogocred'"
		cat
	} | run_as tee -a "$dir/data/postgresql.conf" >/dev/null
	# Somebody else may take the port first.
	for _ in 1 2 3; do
		port=$(free_port "$2")
		printf '%s\n' "$port" "$bindir" "$LD_LIBRARY_PATH" >"$dir/where"
		! run_as "$bindir/pg_ctl" -D "$dir/data" -w -l "$dir/server.log" -o "-p $port" start >/dev/null || return 0
	done
	die "the server did not start, see $dir/server.log"
}

# Stops the server below directory $1, if there is one. $2 is pg_ctl's mode.
stop_server() {
	[ ! -e "$1/data/postmaster.pid" ] || run_as "$bindir/pg_ctl" -D "$1/data" -w -m "$2" stop >/dev/null
}

# psql as user $2 through the socket of the server below directory $1, which only the
# server's user and root can reach.
socket_psql() {
	local dir=$1 user=$2
	shift 2
	"$bindir/psql" -Xq -v ON_ERROR_STOP=1 -h "$dir/socket" -p "$port" -U "$user" "$@"
}

# --- a server for other people's programs -------------------------------------

# Makes $work with a server in it, which the end of the script stops. Sets and exports
# PGHOST, PGPORT and PGDATABASE. Roles: postgres, test_admin, test_service, test_portal, each with the
# password $PGPASSWORD. $1 is the target's name.
start_test_server() {
	need_packages demo
	work=$(mktemp -d "/tmp/mogocred-$1.XXXXXX")
	chmod 711 "$work"
	trap end_test_server EXIT
	mkdir "$work/home"
	give "$work/home"
	start_server "$work" $((20000 + RANDOM % 10000)) <<-CONF
		fsync = off
		log_statement = all
	CONF
	PGPASSWORD=$(random_password)
	export PGHOST=127.0.0.1 PGPORT=$port PGDATABASE=test PGPASSWORD
	super -d postgres <<-SQL
		CREATE ROLE test_admin LOGIN PASSWORD '$PGPASSWORD';
		CREATE ROLE test_service LOGIN PASSWORD '$PGPASSWORD';
		CREATE ROLE test_portal LOGIN PASSWORD '$PGPASSWORD';
		ALTER ROLE postgres PASSWORD '$PGPASSWORD';
		CREATE DATABASE test;
		ALTER DATABASE test SET search_path = mogo, public;
	SQL
	super -d test <<-SQL
		CREATE SCHEMA mogo;
		CREATE EXTENSION mogocred SCHEMA mogo CASCADE;
		SELECT mogo_grant_admin('test_admin'), mogo_grant_verifier('test_service'),
			mogo_grant_portal('test_portal');
	SQL
}

# psql as the test server's superuser, for SQL that only has an effect.
super() { socket_psql "$work" postgres -o /dev/null "$@" 2>>"$work/psql.log"; }

# Runs a program as the unprivileged user, with a directory of its own as HOME, for at
# most $1 seconds: a test that waits for something that never comes is ended.
as_user() { run_as env HOME="$work/home" timeout -k 5 "$@"; }

# The work directory stays where something failed, and the totals come last.
end_test_server() {
	local rc=$?
	stop_server "$work" immediate || rc=1
	if [ "$rc" = 0 ] && [ "$failed" = 0 ]; then
		rm -rf "$work"
	else
		say "logs are kept in $work"
	fi
}
