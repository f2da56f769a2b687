#!/usr/bin/env bash
#
# test/debian/run.sh test | package RELEASE
#	What `make test-debian RELEASE=trixie` and `make test-package RELEASE=bookworm` call.
#
# test: runs `make test` on a copy of this tree inside a fresh minimal Debian of that
# release, so with the PostgreSQL that it carries.
# package: builds the Debian package in one fresh Debian, installs the .deb in another,
# which never sees the source, and there preloads, creates, adds and checks.
#
# Neither is part of `make test`: they need root, debootstrap and some hundred megabytes
# of packages. The Debians are made in a new directory below TMPDIR (/tmp) and removed
# at the end. MIRROR is where packages come from; unset, where this machine's come from.
# This machine's settings for apt (a proxy, say) and its name resolution are copied.

set -euo pipefail

usage="usage: make test-debian | test-package RELEASE=trixie"
what=${1:?$usage} release=${2:?$usage}
die() { printf 'mogocred: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "make test-$what needs root: debootstrap and chroot do"
command -v debootstrap >/dev/null || die "please install debootstrap"
src=$(cd "$(dirname "$0")/../.." && pwd)

# Prints where this machine's Debian packages come from.
this_mirror() {
	sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *(https?:[^ ]*debian\/?)( .*)?$/\3/p' \
		/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1 || :
}
mirror=${MIRROR:-$(this_mirror)}
[ -n "$mirror" ] || die "please name a mirror of Debian with MIRROR"

top=$(mktemp -d "${TMPDIR:-/tmp}/mogocred-debian.XXXXXX")
chmod 755 "$top"

# Ends what still runs in our trees, all of it ours, and removes them; never through a
# mount that would not go away.
cleanup() {
	local link mount
	for link in /proc/[0-9]*/root; do
		if [[ $(readlink "$link" 2>/dev/null) == "$top"/* ]]; then
			link=${link#/proc/}
			kill "${link%/root}" 2>/dev/null || :
		fi
	done
	sleep 1
	for mount in "$top"/*/dev/shm "$top"/*/proc; do
		umount "$mount" 2>/dev/null || :
		if mountpoint -q "$mount"; then
			echo "mogocred: $mount is still in use; $top was left there" >&2
			return
		fi
	done
	rm -rf "$top"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Makes the tree $1, or copies the one that was made first.
fresh() {
	local tree=$top/$1 file
	if [ -d "$top/pristine" ]; then
		cp -a "$top/pristine" "$tree"
	else
		echo "mogocred: a fresh Debian $release from $mirror"
		if ! debootstrap --variant=minbase --include=make "$release" "$tree" "$mirror" >"$top/log" 2>&1; then
			tail -n 15 "$top/log" >&2
			die "debootstrap failed"
		fi
		mkdir -p "$tree/etc/apt/apt.conf.d" "$tree/dev/shm"
		for file in /etc/apt/apt.conf.d/*; do
			# Settings that packages brought speak of programs that are not in there.
			dpkg-query -S "$file" >/dev/null 2>&1 || cp "$file" "$tree/etc/apt/apt.conf.d/"
		done
		cp /etc/resolv.conf /etc/hosts "$tree/etc/"
		# What is installed in there starts nothing, on this machine's ports.
		printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
		chmod 755 "$tree/usr/sbin/policy-rc.d"
		[ "$what" = test ] || cp -a "$tree" "$top/pristine"
	fi
	mount -t proc proc "$tree/proc"
	mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
}

# Copies this source tree into $1, to where servers' user can read it too.
copy_source() {
	mkdir "$top/$1/srv/mogocred"
	tar -C "$src" --exclude=.git --exclude=tmp_check --exclude='*.o' --exclude='*.so' -cf - . |
		tar -C "$top/$1/srv/mogocred" --no-same-owner -xf -
}

# Runs a command in the tree $1. env -i: nothing of this machine's environment helps.
inside() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive chroot "$top/$1" bash -ec "$2" </dev/null
}

# The same without the network, so that Debian's own servers there, which want port
# 5432, do not meet those of this machine.
inside_alone() {
	local tree=$1 command=$2
	export -f inside
	export top
	# shellcheck disable=SC2016	# $0 and $1 are the inner shell's
	unshare --net bash -c 'ip link set lo up && inside "$0" "$1"' "$tree" "$command"
}

# $1... with its output shown only where it fails.
quietly() {
	if ! "$@" >"$top/log" 2>&1; then
		tail -n 40 "$top/log" >&2
		die "failed in the fresh Debian: $3"
	fi
}

if [ "$what" = test ]; then
	fresh tree
	copy_source tree
	inside tree 'cd /srv/mogocred && make test'
	exit
fi

fresh build
copy_source build
echo "mogocred: building the package"
quietly inside build '
	mkdir -p /etc/postgresql-common/createcluster.d
	echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/none.conf
	apt-get -q update
	apt-get -qy --no-install-recommends install dpkg-dev postgresql-server-dev-all
	cd /srv/mogocred
	apt-get -qy --no-install-recommends build-dep ./
	pg_buildext updatecontrol'
(cd "$top/build/srv/mogocred" && find . -type f | sort) >"$top/before"
quietly inside_alone build 'cd /srv/mogocred && dpkg-buildpackage -us -uc -b'
# What it left in the tree is for .gitignore to know. (Exit code 1: git would see the file.)
left=$(cd "$top/build/srv/mogocred" && find . -type f | sort | comm -13 "$top/before" - | while read -r file; do
	git -C "$src" check-ignore -q --no-index "$file" 2>/dev/null || [ $? != 1 ] || echo "$file"
done)
[ -z "$left" ] || die "the build leaves files that git would see: $left"
fresh clean
for deb in "$top"/build/srv/postgresql-*-mogocred_*.deb; do
	echo "mogocred: installing $(basename "$deb") where the source has never been"
	cp "$deb" "$src/debian/tests/smoke.sql" "$top/clean/srv/"
done
quietly inside clean 'apt-get -q update; apt-get -qy --no-install-recommends install /srv/*.deb'
# shellcheck disable=SC2016	# for the shell in there
inside_alone clean '
	for version in $(pg_lsclusters -h | cut -d" " -f1); do
		pg_conftool "$version" main set shared_preload_libraries mogocred
		pg_ctlcluster "$version" main start
		cd /
		runuser -u postgres -- psql -Xq -f /srv/smoke.sql
		runuser -u postgres -- psql -XAtc "SHOW shared_preload_libraries" -c "SELECT version()"
		pg_ctlcluster "$version" main stop
		ls -C "/usr/share/doc/postgresql-$version-mogocred/"
		for file in README.Debian NEWS.Debian.gz managed/after-create.sql README.md doc/operations.md; do
			test -s "/usr/share/doc/postgresql-$version-mogocred/$file"
		done
		apt-get -qy remove "postgresql-$version-mogocred" >/dev/null
		! ls /usr/lib/postgresql/*/lib/mogocred* /usr/share/postgresql/*/extension/mogocred* 2>/dev/null
	done'
echo "mogocred: ok: built, installed, preloaded, created, added, checked, removed"
