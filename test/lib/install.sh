# shellcheck shell=bash
#
# test/lib/install.sh
#	What every script here begins with: the packages that are missing, the user who
#	runs servers, and a private PostgreSQL installation with mogocred in it.
#
# Sourced. Rules: nothing in the system is changed but packages that are missing, and
# nothing is written into the source tree.

SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# What the caller's make and PostgreSQL settings say must not reach ours.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CDPATH
for var in ${!PG@}; do
	case $var in PG_CONFIG | PGSRC | PGS) ;; *) unset "$var" ;; esac
done
unset "${!LC_@}" LC_ALL LANGUAGE
if locale -a 2>/dev/null | grep -qix 'c\.utf-\?8'; then export LANG=C.UTF-8; else export LANG=C; fi
umask 022

say() { printf '%s\n' "$*"; }
die() { printf 'mogocred: %s\n' "$*" >&2; exit 1; }

# Says every ten seconds that $1, until stop_progress. Not on standard output, which may be
# what somebody reads.
progress=
show_progress() {
	(while sleep 10 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do say "    $1"; done) >&2 &
	progress=$!
}
stop_progress() {
	[ -z "$progress" ] || kill "$progress" 2>/dev/null || :
	progress=
}

# --- packages -----------------------------------------------------------------

# Prints the newest Debian PostgreSQL that has its server headers, if any.
newest_pg_config() {
	local dir
	for dir in $(printf '%s\n' /usr/lib/postgresql/*/ | sort -rV); do
		if [ -x "$dir/bin/pg_config" ] && [ -f "$dir/lib/pgxs/src/makefiles/pgxs.mk" ]; then
			echo "${dir%/}/bin/pg_config"
			return
		fi
	done
}

# Whether a C program that includes this header gets through the preprocessor.
has_header() { echo "#include <$1>" | cc -E - >/dev/null 2>&1; }

# Prints a line for each thing that is missing: Debian's package, then what it is
# for. $1 is "test" or "demo"; $major is Debian's PostgreSQL that is wanted, empty
# where PG_CONFIG names one that Debian did not package.
missing() {
	local bin share pgxs library
	command -v make >/dev/null || echo "make make"
	command -v cc >/dev/null || echo "gcc a C compiler"
	[ -f /usr/include/stdio.h ] || has_header stdio.h || echo "libc6-dev the C library's headers"
	has_header uuid/uuid.h || echo "uuid-dev libuuid's headers"
	if ! [ -x "$PG_CONFIG" ]; then
		echo "postgresql-$major a PostgreSQL server"
		echo "postgresql-server-dev-$major its headers"
		echo "libssl-dev OpenSSL's headers"
	else
		bin=$("$PG_CONFIG" --bindir) share=$("$PG_CONFIG" --sharedir) pgxs=$("$PG_CONFIG" --pgxs)
		[ -x "$bin/postgres" ] || echo "postgresql-$major the PostgreSQL server in $bin"
		[ -x "$bin/psql" ] || echo "postgresql-client-$major psql in $bin"
		[ -f "$share/extension/pgcrypto.control" ] || echo "postgresql-$major the contrib module pgcrypto in $share"
		if [ -f "$pgxs" ] && [ -f "$("$PG_CONFIG" --includedir-server)/postgres.h" ]; then
			! grep -q '^with_ssl[[:space:]]*=[[:space:]]*openssl' "${pgxs%/makefiles/*}/Makefile.global" ||
				has_header openssl/evp.h || echo "libssl-dev OpenSSL's headers"
		else
			echo "postgresql-server-dev-$major its server headers"
			echo "libssl-dev OpenSSL's headers"
		fi
	fi
	if [ "$1" = test ]; then
		command -v prove >/dev/null || echo "perl prove"
		perl -MIPC::Run -e 1 2>/dev/null || echo "libipc-run-perl Perl's IPC::Run"
		# The pooler's test is skipped where these cannot be had.
		if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }; then
			[ -x /usr/sbin/pgbouncer ] || echo "pgbouncer the connection pooler"
			perl -MDBD::Pg -e 1 2>/dev/null || echo "libdbd-pg-perl a driver, Perl's DBD::Pg"
			# So are those with other people's libraries.
			for library in pgextwlist pgaudit; do
				[ -z "$major" ] || [ -e "/usr/lib/postgresql/$major/lib/$library.so" ] ||
					! apt-cache show "postgresql-$major-$library" >/dev/null 2>&1 ||
					echo "postgresql-$major-$library the library $library"
			done
		fi
	fi
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian's postgresql-NN makes a cluster "main" and starts it, and pgbouncer starts
# itself. Not for our sake: a policy for the time of the installation says no.
no_starting=/usr/sbin/policy-rc.d
no_main_cluster=/etc/postgresql-common/createcluster.d/mogocred-no-main-cluster.conf

# Installs the given packages, and shows how far apt is. Only what fails with the
# lists as they are makes us ask for new ones.
apt_install() {
	local log get apt rc=0
	log=$(mktemp /tmp/mogocred-apt.XXXXXX)
	get="apt-get -qy -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 --no-install-recommends"
	say "mogocred: installing $* (log: $log)"
	as_root true	# where sudo asks for a password, it does so now
	# One shell, so that the file goes whatever happens, and in the background, so that it
	# goes on after Ctrl-C. It may be stopped while it fetches, but not while dpkg works.
	as_root sh -c "
		set -e
		echo \"shell \$\$\"
		export DEBIAN_FRONTEND=noninteractive
		step() { \"\$@\" & child=\$!; wait \$child; }
		trap 'kill \$child; exit 143' TERM
		step $get install --download-only $* || { step $get update; step $get install --download-only $*; }
		trap '' TERM
		made=\$(mkdir -pv ${no_main_cluster%/*})
		policy=; [ -e $no_starting ] || policy=$no_starting
		trap 'rm -f $no_main_cluster \$policy; [ -z \"\$made\" ] || rmdir ${no_main_cluster%/*} || :' EXIT
		[ -z \"\$policy\" ] || { printf '#!/bin/sh\nexit 101\n' >\$policy; chmod 755 \$policy; }
		echo 'create_main_cluster = false' > $no_main_cluster
		setsid -w $get install $*	# dpkg does not ignore the terminal's Ctrl-C by itself
	" </dev/null >"$log" 2>&1 &
	apt=$!
	trap 'interrupt_apt "$log" "$apt"' INT TERM
	show_apt "$log" "$apt"
	wait "$apt" || rc=$?
	trap - INT TERM
	if [ "$rc" != 0 ]; then
		tail -n 15 "$log" >&2
		die "the packages could not be installed, see $log"
	fi
	rm -f "$log"
}

# Says how large it is, and every 5 seconds how far apt has come, as its log $1 tells, until
# process $2 has ended.
show_apt() {
	local size=''
	while kill -0 "$2" 2>/dev/null; do
		for _ in {1..10}; do
			sleep 0.5
			kill -0 "$2" 2>/dev/null || return 0
			if [ -z "$size" ] && size=$(grep -m 1 'newly installed' "$1"); then
				say "    $size"
				sed -n 's/^\(Need to get\|After this\) /    &/p' "$1" | head -n 2
			fi
		done
		say "    fetched $(grep -c '^Get:' "$1"), unpacked $(grep -c '^Unpacking' "$1"), set up $(grep -c '^Setting up' "$1")"
	done
}

# Answers Ctrl-C while process $2 runs apt, whose log is $1. A package that is half
# installed would be in everybody's way, so apt ends by itself what dpkg has begun.
interrupt_apt() {
	say
	as_root kill "$(sed -n 's/^shell //p' "$1")" 2>/dev/null || :
	sleep 0.5
	if kill -0 "$2" 2>/dev/null; then
		say "mogocred: interrupted. apt-get finishes in the background what it has begun (log: $1)."
	else
		say "mogocred: interrupted, nothing was installed."
		rm -f "$1"
	fi
	exit 130
}

# Sets PG_CONFIG (the caller's, else Debian's newest) and brings what is missing for
# $1, "test" or "demo". Raises: what to install, where that cannot be done here.
need_packages() {
	local lacking packages
	major=
	if [ -n "${PG_CONFIG:-}" ]; then
		PG_CONFIG=$(command -v "$PG_CONFIG" || echo "$PG_CONFIG")
		[[ $PG_CONFIG =~ ^/usr/lib/postgresql/([0-9]+)/bin/ ]] && major=${BASH_REMATCH[1]}
		"$PG_CONFIG" --version 2>/dev/null | grep -q ^PostgreSQL || [ -n "$major" ] ||
			die "PG_CONFIG=$PG_CONFIG is not a pg_config program"
	else
		PG_CONFIG=$(newest_pg_config)
		[ -n "$PG_CONFIG" ] || [ ! -d /etc/apt ] || major=$(debian_major)
		PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/$major/bin/pg_config}
		if [ -z "$major" ] && [ ! -x "$PG_CONFIG" ] && command -v pg_config >/dev/null; then
			PG_CONFIG=$(command -v pg_config)
		fi
	fi
	[[ $PG_CONFIG =~ ^/usr/lib/postgresql/([0-9]+)/bin/ ]] && major=${BASH_REMATCH[1]}

	lacking=$(missing "$1")
	[ -n "$lacking" ] || return 0
	packages=$(cut -d' ' -f1 <<<"$lacking" | sort -u | tr '\n' ' ')
	if ! command -v apt-get >/dev/null || grep -q -- '-$' <<<"${packages// /$'\n'}"; then
		die "missing here, please install: $(cut -d' ' -f2- <<<"$lacking" | paste -sd, | sed 's/,/, /g')"
	elif [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		die "missing here, and there is no sudo. As root: apt-get install $packages"
	fi
	# shellcheck disable=SC2086	# a list of words
	apt_install $packages
	lacking=$(missing "$1")
	[ -z "$lacking" ] || die "still missing: $(cut -d' ' -f2- <<<"$lacking" | paste -sd, | sed 's/,/, /g')"
}

# Installs Debian's packages that are missing: $1 a command, $2 its package, and so on.
need_tools() {
	local packages=
	while [ $# -gt 0 ]; do
		command -v "$1" >/dev/null || packages+=" $2"
		shift 2
	done
	# shellcheck disable=SC2086	# a list of words
	[ -z "$packages" ] || apt_install $packages
}

# Prints the PostgreSQL major to install: that of a server which only lacks its
# headers, else this release's own.
debian_major() {
	local have
	have=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -rV | grep -om1 '/[0-9]\+/' | tr -d /)
	[ -n "$have" ] || have=$(release_major)
	if [ -z "$have" ]; then
		say "mogocred: reading the package lists" >&2
		as_root apt-get -q update </dev/null >/dev/null
		have=$(release_major)
	fi
	[ -n "$have" ] || die "apt knows no package postgresql"
	echo "$have"
}

release_major() {
	apt-cache show postgresql 2>/dev/null | sed -n 's/^Depends:.*\<postgresql-\([0-9]\+\).*/\1/p' | head -n 1
}

# --- who runs servers ---------------------------------------------------------

# Prints who that is: PostgreSQL refuses to run as root. Asked anew each time, as
# postgresql-common makes the user postgres.
server_user() {
	if [ "$(id -u)" != 0 ]; then
		id -un
	elif getent passwd postgres >/dev/null; then
		echo postgres
	else
		echo nobody
	fi
}

# Runs a command as that user, who may not be able to read the directory we are in.
run_as() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && runuser -u "$(server_user)" -- env HOME=/tmp "$@")
	else
		(cd / && "$@")
	fi
}

# Hands a directory to that user.
give() {
	[ "$(id -u)" != 0 ] || chown -R "$(server_user):$(id -gn "$(server_user)")" "$@"
}

# --- a private installation ---------------------------------------------------

# Copies the PostgreSQL that PG_CONFIG names below $1/root, builds a copy of the
# sources in $1/build, and installs it there. PostgreSQL finds its files from where
# its program is, so the copy is complete in itself. Sets bindir, and PG_CONFIG to
# the copy's. $2, if given, is an argument for make.
private_install() {
	local root=$1/root build=$1/build original program dir programs libraries share headers packaged server
	# Not in the loops' own words: bash 5.2 cannot parse the trap of a Ctrl-C that comes
	# while it expands "$(...)" there.
	original=$PG_CONFIG
	programs=$("$original" --bindir)
	libraries=$("$original" --pkglibdir) share=$("$original" --sharedir)
	headers=$("$original" --includedir) packaged=$("$original" --pkgincludedir)
	server=$("$original" --includedir-server)
	bindir=$root$programs
	mkdir -p "$bindir" "$build"
	for program in "$programs"/{postgres,initdb,psql,pgbench,pg_*,{create,drop}{db,user},{vacuum,reindex,cluster}db}; do
		[ ! -x "$program" ] || cp -L "$program" "$bindir/"
	done
	for dir in "$libraries" "$share"; do
		mkdir -p "$root$dir"
		cp -R --preserve=mode,links "$dir/." "$root$dir/"
	done
	# The headers are only read, the libraries only where they are PostgreSQL's own.
	for dir in "$headers" "$packaged" "$server"; do
		[ -e "$root$dir" ] || { mkdir -p "$root${dir%/*}" && ln -s "$dir" "$root$dir"; }
	done
	dir=$("$original" --libdir)
	mkdir -p "$root$dir"
	cp -R --preserve=mode,links "$dir"/libpq.* "$dir"/libpg*.a "$root$dir/" 2>/dev/null || true
	export LD_LIBRARY_PATH=$root${dir%/}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

	# Nothing that an earlier install left behind may help us.
	find "$root" -depth -name 'mogocred*' -exec rm -rf {} +

	PG_CONFIG=$bindir/pg_config
	case $("$PG_CONFIG" --pkglibdir) in
		"$root"/*) ;;
		*) die "the copy of $original does not find its own files" ;;
	esac

	tar -C "$SRC" --exclude=./.git -cf - . | tar -C "$build" --no-same-owner -xf -
	find "$build" \( -name '*.o' -o -name '*.bc' -o -name '*.so' \) -delete
	show_progress "still compiling"
	if ! make -s -C "$build" -j"$(nproc)" PG_CONFIG="$PG_CONFIG" ${2:+"$2"} >"$1/build.log" 2>&1 ||
		! make -s -C "$build" PG_CONFIG="$PG_CONFIG" ${2:+"$2"} install >>"$1/build.log" 2>&1; then
		stop_progress
		cat "$1/build.log" >&2
		die "the build failed, see $1/build.log"
	fi
	stop_progress
	give "$root" "$build"
}
