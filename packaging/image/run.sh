#!/usr/bin/env bash
#
# packaging/image/run.sh build | test [MAJOR]
#	What `make image PG=18` and `make test-image PG=18` call.
#
# build: makes an OCI image of the extension alone, as an archive in dist/, for operators
# that mount an image as a volume (CloudNativePG). It needs umoci, no container engine, and
# fetches nothing. The layout is CloudNativePG's: /lib has the library, /share/extension
# the control file and the scripts, /system the shared libraries that a slim image of
# PostgreSQL lacks, /licenses theirs and ours. The library finds /system by itself, so
# ld_library_path need not be set.
#
# test: unpacks that archive and runs a server that has nothing of ours but the image's
# folders on its paths: preload, create, add, check. As root it also hides the system's
# copies of what is in /system.
#
#	MAJOR	the PostgreSQL to build for and to try it on, from Debian's packages
#	PG_CONFIG	instead of MAJOR: any other

set -euo pipefail
lib=$(dirname "$0")/../../test/lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$lib/results.sh"

[ -n "${PG_CONFIG:-}" ] || [ -z "${2:-}" ] || PG_CONFIG=/usr/lib/postgresql/$2/bin/pg_config
need_packages demo
need_tools umoci umoci
major=$("$PG_CONFIG" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
[ "$major" -ge 18 ] || die "an image of an extension alone needs PostgreSQL 18 or later, and $PG_CONFIG is of $major"

version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$SRC/mogocred.control")
# shellcheck source=/dev/null
distribution=$(. /etc/os-release && echo "${VERSION_CODENAME:-$ID}")
case $(uname -m) in
	x86_64) arch=amd64 ;;
	aarch64) arch=arm64 ;;
	*) arch=$(uname -m) ;;
esac
tag=$version-$major-$distribution
archive=$SRC/dist/mogocred-$tag-$arch.oci.tar
work=$(mktemp -d /tmp/mogocred-image.XXXXXX)
chmod 755 "$work"

# Prints the shared libraries that $1 needs, each "name path".
needed() { ldd "$1" | sed -nE 's/^\t(\S+) => (\S+) .*/\1 \2/p' | sort; }

build_image() {
	local stage=$work/stage name path package created
	trap 'rm -rf "$work"' EXIT
	say "mogocred: building for $("$PG_CONFIG" --version) on $distribution, $arch"
	mkdir -p "$work/build" "$stage"/{lib,system,licenses/mogocred}
	tar -C "$SRC" --exclude=./.git --exclude='*.o' --exclude='*.so' -cf - Makefile mogocred.control sql src |
		tar -C "$work/build" --no-same-owner -xf -
	# shellcheck disable=SC2016	# make's, and then the linker's
	if ! make -s -C "$work/build" PG_CONFIG="$PG_CONFIG" with_llvm=no WERROR=1 \
		COPT="-ffile-prefix-map=$work/build=." \
		PG_LDFLAGS='-Wl,-rpath,'\''$$ORIGIN/../system'\' \
		pkglibdir="$stage/lib" datadir="$stage/share" install >"$work/log" 2>&1; then
		cat "$work/log" >&2
		die "the build failed"
	fi
	strip --strip-debug "$stage/lib/mogocred.so"
	cp "$SRC/LICENSE" "$stage/licenses/mogocred/"

	# What the server itself does not need is what an image with no more than a server lacks.
	comm -13 <(needed "$("$PG_CONFIG" --bindir)/postgres" | cut -d' ' -f1) \
		<(needed "$stage/lib/mogocred.so" | cut -d' ' -f1) | while read -r name; do
		path=$(needed "$stage/lib/mogocred.so" | sed -n "s/^$name //p")
		cp -L "$path" "$stage/system/$name"
		package=$(dpkg-query -S "$(readlink -f "$path")" 2>/dev/null | cut -d: -f1)
		[ -z "$package" ] || cp -RL "/usr/share/doc/$package" "$stage/licenses/"
		say "mogocred: /system/$name from ${package:-$path}"
	done
	find "$stage/licenses" -type f ! -name copyright ! -name LICENSE -delete
	find "$stage" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +

	# The same tree makes the same image, whenever it is built.
	created=${SOURCE_DATE_EPOCH:-$(git -C "$SRC" log -1 --format=%ct 2>/dev/null || date +%s)}
	find "$stage" -exec touch -hd "@$created" {} +
	created=$(date -ud "@$created" +%Y-%m-%dT%H:%M:%SZ)
	umoci init --layout "$work/oci"
	umoci new --image "$work/oci:$tag"
	umoci insert --rootless --history.created "$created" --image "$work/oci:$tag" "$stage" /
	umoci config --image "$work/oci:$tag" --os linux --architecture "$arch" --created "$created" --no-history \
		--manifest.annotation "org.opencontainers.image.title=mogocred" \
		--manifest.annotation "org.opencontainers.image.version=$version" \
		--manifest.annotation "org.opencontainers.image.licenses=PostgreSQL" \
		--manifest.annotation "org.opencontainers.image.description=mogocred for PostgreSQL $major on $distribution"
	umoci gc --layout "$work/oci" >/dev/null
	mkdir -p "$SRC/dist"
	find "$work/oci" -exec touch -hd "$created" {} +
	tar -C "$work/oci" --sort=name --owner=0 --group=0 --numeric-owner -cf "$archive" .
	say "mogocred: ${archive#"$SRC/"}"
}

# Stops the server and deletes what was made here.
end_test() {
	[ ! -e "$work/data/postmaster.pid" ] || run_as "$bindir/pg_ctl" -D "$work/data" -w -m immediate stop >/dev/null || :
	rm -rf "$work"
}

# psql in the server's only database. In the image's folders there is no psql.
ask() { run_as "$bindir/psql" -Xq -v ON_ERROR_STOP=1 -At -h "$work" -U postgres -d postgres "$@"; }

# Counts a check whose command is to print $2. $1 what is tested, $3... the command.
expect() {
	local what=$1 wanted=$2 got
	shift 2
	got=$("$@" 2>&1) || got="exit code $?: $got"
	if [ "$got" = "$wanted" ]; then
		result ok "$what"
	else
		result FAILED "$what"
		say "    | $got"
	fi
}

# Prints the server's mapped files of the given name, without those of the image.
maps_elsewhere() {
	local pid
	pid=$(head -n 1 "$work/data/postmaster.pid")
	grep -o "/[^ ]*$1[^ ]*" "/proc/$pid/maps" | grep -v "^$work/" || :
}

# Prints what there is of ours in the server's own folders.
ours_installed() { find "$("$PG_CONFIG" --pkglibdir)" "$("$PG_CONFIG" --sharedir)" -name 'mogocred*'; }

start_or_say() { start >/dev/null 2>&1 || echo "not started"; }

try_image() {
	local ext=$work/extensions/mogocred id secret hidden
	trap end_test EXIT
	[ -e "$archive" ] || die "there is no ${archive#"$SRC/"}: make image PG_CONFIG=$PG_CONFIG"
	bindir=$("$PG_CONFIG" --bindir)
	mkdir "$work/oci" "$work/data"
	tar -C "$work/oci" -xf "$archive"
	# The folder has one image, whose name is the tag in the archive's index.
	umoci unpack --rootless --image "$work/oci:$tag" "$work/bundle"
	mkdir "$work/extensions"
	mv "$work/bundle/rootfs" "$ext"
	chmod 755 "$ext"
	give "$work/data"

	say "mogocred: $("$PG_CONFIG" --version) with the image of ${archive##*/}"
	expect "the server's own folders have nothing of ours" "" ours_installed
	expect "the image has what CloudNativePG asks for, and no more" \
		"lib lib/mogocred.so licenses share share/extension share/extension/mogocred--$version.sql share/extension/mogocred.control system system/libuuid.so.1" \
		bash -c "cd '$ext' && find * -not -path 'licenses/*' | LC_ALL=C sort | paste -sd' '"

	run_as "$bindir/initdb" -D "$work/data" -U postgres --encoding=UTF8 --no-locale --no-sync --auth=trust >"$work/log"
	# As CloudNativePG sets them for a volume in /extensions/mogocred.
	run_as tee -a "$work/data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$work'
		extension_control_path = '\$system:$ext/share'
		dynamic_library_path = '\$libdir:$ext/lib'
		shared_preload_libraries = 'mogocred'
	CONF
	chmod 777 "$work"
	hidden=
	if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
		hidden=" with the system's libuuid hidden"
		for file in $(ldconfig -p | sed -nE 's/.*libuuid\.so\.1 .*=> (.*)/\1/p'); do
			printf 'mount --bind /dev/null %s\n' "$(readlink -f "$file")"
		done >"$work/hide"
		printf 'exec runuser -u %s -- "$@"\n' "$(server_user)" >>"$work/hide"
		start() { (cd / && unshare -m bash "$work/hide" "$bindir/pg_ctl" -D "$work/data" -l "$work/data/log" -w start >/dev/null); }
	else
		start() { run_as "$bindir/pg_ctl" -D "$work/data" -l "$work/data/log" -w start >/dev/null; }
	fi
	expect "a server that preloads it starts$hidden" "" start
	[ -e "$work/data/postmaster.pid" ] || { tail -n 20 "$work/data/log"; return; }
	expect "libuuid comes from the image" "" maps_elsewhere libuuid
	expect "mogocred comes from the image" "" maps_elsewhere mogocred
	expect "create" "" ask -c "SET client_min_messages = warning" -c "CREATE SCHEMA mogo" -c "CREATE EXTENSION mogocred SCHEMA mogo CASCADE"
	IFS='|' read -r id secret < <(ask -c "SELECT client_id, client_secret FROM mogo.mogo_add_client('image')")
	expect "add, and check the right secret and a wrong one" "t|f" \
		ask -c "SELECT mogo.mogo_verify('$id', '$secret'), mogo.mogo_verify('$id', '$id')"
	expect "the uses are counted: preloaded" "1" ask -c "SELECT uses FROM mogo.mogo_secrets"
	expect "the log names nothing that went wrong" "" bash -c "grep -E 'ERROR|FATAL|WARNING|PANIC' '$work/data/log' || :"
	run_as "$bindir/pg_ctl" -D "$work/data" -w -m fast stop >/dev/null
	mv "$ext/system" "$ext/gone"
	[ -z "$hidden" ] || expect "without /system it does not start" "not started" start_or_say
}

case ${1:-} in
	build) build_image ;;
	test) try_image; totals ;;
	*) die "usage: packaging/image/run.sh build | test [MAJOR]" ;;
esac
