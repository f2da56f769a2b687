#!/usr/bin/env bash
#
# test/debian.sh RELEASE [COMMAND]
#	What `make test-debian RELEASE=trixie` calls: runs `make test` (or COMMAND) on a
#	copy of this tree inside a fresh minimal Debian of that release, so with the
#	PostgreSQL that it carries. Not part of `make test`: it needs root, debootstrap
#	and some hundred megabytes of packages.
#
# The Debian is made in a new directory below TMPDIR (/tmp) and removed at the end.
# MIRROR is where its packages come from; unset, where this machine's come from. This
# machine's settings for apt (a proxy, say) are copied, as is its name resolution.

set -euo pipefail

release=${1:?usage: make test-debian RELEASE=trixie}
command=${2:-make test}
die() { printf 'mogocred: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "make test-debian needs root: debootstrap and chroot do"
command -v debootstrap >/dev/null || die "please install debootstrap"
src=$(cd "$(dirname "$0")/.." && pwd)
mirror=${MIRROR:-$(sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *(https?:[^ ]*debian\/?)( .*)?$/\3/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1 || :)}
mirror=${mirror:-http://deb.debian.org/debian}

tree=$(mktemp -d "${TMPDIR:-/tmp}/mogocred-debian.XXXXXX")
# Ends what still runs in the tree, all of it ours, and removes it; never through a
# mount that would not go away.
cleanup() {
	local link
	for link in /proc/[0-9]*/root; do
		if [ "$(readlink "$link" 2>/dev/null)" = "$tree" ]; then
			link=${link#/proc/}
			kill "${link%/root}" 2>/dev/null || :
		fi
	done
	sleep 1
	umount "$tree/dev/shm" 2>/dev/null || :
	umount "$tree/proc" 2>/dev/null || :
	if mountpoint -q "$tree/proc" || mountpoint -q "$tree/dev/shm"; then
		echo "mogocred: $tree is still in use and was left there" >&2
	else
		rm -rf "$tree"
	fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

echo "mogocred: a fresh Debian $release from $mirror in $tree"
chmod 755 "$tree"
if ! debootstrap --variant=minbase --include=make "$release" "$tree" "$mirror" >"$tree.log" 2>&1; then
	tail -n 15 "$tree.log" >&2
	die "debootstrap failed, see $tree.log"
fi
rm -f "$tree.log"
mkdir -p "$tree/etc/apt/apt.conf.d" "$tree/dev/shm"
for file in /etc/apt/apt.conf.d/*; do
	# Settings that packages brought speak of programs that are not in there.
	dpkg-query -S "$file" >/dev/null 2>&1 || cp "$file" "$tree/etc/apt/apt.conf.d/"
done
cp /etc/resolv.conf /etc/hosts "$tree/etc/"
mount -t proc proc "$tree/proc"
mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
mkdir "$tree/root/mogocred"
tar -C "$src" --exclude=.git --exclude=tmp_check -cf - . | tar -C "$tree/root/mogocred" --no-same-owner -xf -

# env -i: nothing of this machine's environment helps.
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
	chroot "$tree" bash -c "cd /root/mogocred && $command" </dev/null
