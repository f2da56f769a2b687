# shellcheck shell=bash
#
# test/real.sh
#	What test/drivers/run.sh and test/examples/run.sh share: other people's software
#	(from Debian and npm), and a throw-away server that listens on the loopback
#	address with an administrator and a token service. Sourced.

# shellcheck source=test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

work=
passed=0 failed=0

# Prints one result and counts it. $1 ok or FAILED, $2 what was tested.
result() {
	printf '  %-8s%s\n' "$1" "$2"
	if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# Counts the lines "ok NAME" and "FAILED NAME: why" of standard input under the
# heading $1 and shows the others; the last line is to be "end".
report() {
	local line ended=
	while IFS= read -r line; do
		case $line in
			"ok "*) result ok "$1: ${line#ok }" ;;
			"FAILED "*) result FAILED "$1: ${line#FAILED }" ;;
			end) ended=yes ;;
			*) say "    | $line" ;;
		esac
	done
	[ -n "$ended" ] || result FAILED "$1: did not get to its end"
}

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

# Prints a TCP port of the loopback address that nothing listens on.
free_port() {
	local try
	for _ in {1..50}; do
		try=$((20000 + RANDOM % 10000))
		(exec 3<>"/dev/tcp/127.0.0.1/$try") 2>/dev/null || { echo "$try"; return; }
	done
	die "no free port between 20000 and 29999"
}

# Makes $work with a private installation and a server in it, which the end of the
# script stops. Sets and exports PGHOST, PGPORT and PGDATABASE. Roles: postgres,
# test_admin, test_service, each with the password $PGPASSWORD.
start_server() {
	need_packages demo
	work=$(mktemp -d "/tmp/mogocred-$1.XXXXXX")
	chmod 711 "$work"
	trap stop_server EXIT
	private_install "$work"
	mkdir -m 700 "$work/data" "$work/socket"
	mkdir "$work/home"
	touch "$work/server.log"
	give "$work/data" "$work/socket" "$work/server.log" "$work/home"
	PGPASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	run_as "$bindir/initdb" -D "$work/data" -U postgres --encoding=UTF8 --no-locale --no-sync \
		--auth-local=trust --auth-host=scram-sha-256 >"$work/initdb.log"
	run_as tee -a "$work/data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = '127.0.0.1'
		unix_socket_directories = '$work/socket'
		shared_preload_libraries = 'mogocred'
		fsync = off
		log_statement = all
	CONF
	# Somebody else may take the port first.
	for _ in 1 2 3; do
		PGPORT=$(free_port)
		run_as "$bindir/pg_ctl" -D "$work/data" -w -l "$work/server.log" -o "-p $PGPORT" start >/dev/null && break
	done
	export PGHOST=127.0.0.1 PGPORT PGDATABASE=test PGPASSWORD
	super -d postgres <<-SQL
		CREATE ROLE test_admin LOGIN PASSWORD '$PGPASSWORD';
		CREATE ROLE test_service LOGIN PASSWORD '$PGPASSWORD';
		ALTER ROLE postgres PASSWORD '$PGPASSWORD';
		CREATE DATABASE test;
		ALTER DATABASE test SET search_path = mogo, public;
	SQL
	super -d test <<-SQL
		CREATE SCHEMA mogo;
		CREATE EXTENSION mogocred SCHEMA mogo CASCADE;
		SELECT mogo_grant_admin('test_admin'), mogo_grant_verifier('test_service');
	SQL
}

super() { "$bindir/psql" -Xq -v ON_ERROR_STOP=1 -h "$work/socket" -p "$PGPORT" -U postgres -o /dev/null "$@" 2>>"$work/psql.log"; }

# Runs a program as the unprivileged user, with a directory of its own as HOME, for at
# most $1 seconds: a test that waits for something that never comes is ended.
as_user() { run_as env HOME="$work/home" timeout -k 5 "$@"; }

# The work directory stays where something failed, and the totals come last.
stop_server() {
	local rc=$?
	[ ! -e "$work/data/postmaster.pid" ] || run_as "$bindir/pg_ctl" -D "$work/data" -w -m immediate stop >/dev/null || rc=1
	if [ "$rc" = 0 ] && [ "$failed" = 0 ]; then
		rm -rf "$work"
	else
		say "logs are kept in $work"
	fi
}

# Prints the closing line. Returns whether all went well.
totals() {
	say "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
