#!/usr/bin/env bash
#
# test/majors/run.sh [FOLDER [SOURCE]]
#	What `make test-majors PGS=FOLDER` and `make test-majors PGSRC=SOURCE` call: runs the
#	suite on one PostgreSQL of each major after the other, and prints one table. pg_upgrade's
#	test comes from the major before, if the folder has it.
#
#	FOLDER	has the installations, each in a folder with bin/pg_config
#	SOURCE	a clone of PostgreSQL's repository: the release branches are built from it, with
#		assertions, into FOLDER (else a folder below /tmp that is kept), where they are
#		not there yet
#	TESTS="name name"	only these
#	MAJORS="18 19"	only these; else all that the Makefile names

set -euo pipefail
lib=$(dirname "$0")/../lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"

folder=${1:-} source=${2:-}
majors=${MAJORS:-$(sed -n 's/^PG_MAJORS = //p' "$SRC/Makefile")}
[ -n "$folder$source" ] || die "name a folder with installations with PGS=, or a clone of PostgreSQL's repository with PGSRC="
folder=${folder:-/tmp/mogocred-majors-$(id -un)}
logs=$(mktemp -d /tmp/mogocred-majors.XXXXXX)

# Prints the pg_config of major $1 in the folder, if there is one.
find_pg_config() {
	local program
	for program in "$folder"/*/bin/pg_config; do
		[ ! -x "$program" ] || ! "$program" --version | grep -qE "^PostgreSQL $1([^0-9]|\$)" || { echo "$program"; return; }
	done
}

# Builds major $1 from its release branch, or from the development branch if it has none.
build_major() {
	local branch=REL_${1}_STABLE dir=$logs/source-$1 ref
	for ref in "$branch" "origin/$branch" master origin/master; do
		! git -C "$source" rev-parse -q --verify "$ref^{commit}" >/dev/null || break
	done
	say "mogocred: building PostgreSQL $1 from $ref"
	mkdir -p "$dir" "$folder"
	git -C "$source" archive "$ref" | tar -C "$dir" -xf -
	if ! (
		cd "$dir"
		./configure --prefix="$folder/$1" --enable-cassert --enable-debug --enable-tap-tests \
			--with-ssl=openssl --with-uuid=e2fs --without-icu --without-readline CFLAGS='-O1 -g'
		make -s -j"$(nproc)" install
		make -s -j"$(nproc)" -C contrib install
	) >"$logs/build-$1.log" 2>&1; then
		tail -n 20 "$logs/build-$1.log" >&2
		die "PostgreSQL $1 could not be built, see $logs/build-$1.log"
	fi
	rm -rf "$dir"
}

# Prints what a run skipped or failed, each reason once, with how often. $1 "skipped" or
# "FAILED", $2 its log.
reasons() {
	sed -nE "s/^  $1 +//p" "$2" | sed -E 's/^tap ([^:]*): /\1: /' | sort | uniq -c |
		sed -E 's/^ *1 //; s/^ *([0-9]+) (.*)/\2 (\1 tests)/'
}

for major in $majors; do
	pg_config=$(find_pg_config "$major")
	if [ -z "$pg_config" ] && [ -n "$source" ]; then
		build_major "$major"
		pg_config=$(find_pg_config "$major")
	fi
	if [ -z "$pg_config" ]; then
		say "mogocred: there is no PostgreSQL $major in $folder"
		echo "no installation" >"$logs/$major.log"
		continue
	fi
	say "mogocred: PostgreSQL $major, log: $logs/$major.log"
	PG_CONFIG=$pg_config OLD_PG_CONFIG=$(find_pg_config $((major - 1))) "$SRC/test/run.sh" >"$logs/$major.log" 2>&1 || :
	tail -n 1 "$logs/$major.log" | grep -E '^[0-9]+ passed' || tail -n 20 "$logs/$major.log" | sed 's/^/    | /'
done

say
say "| major | passed | failed | skipped |"
say "|---|---|---|---|"
bad=0
for major in $majors; do
	version=$(sed -nE 's/.*building with warnings as errors, for PostgreSQL ([^ ]+).*/\1/p' "$logs/$major.log" | tail -n 1)
	read -r passed failed < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$logs/$major.log"; echo "0 no result") || :
	[ "$failed" = 0 ] || bad=1
	say "| ${version:-$major} | $passed | $failed | $(grep -c '^  skipped ' "$logs/$major.log" || :) |"
done
for what in FAILED skipped; do
	for major in $majors; do
		reasons "$what" "$logs/$major.log" | sed "s/^/$what on $major: /"
	done
done
say "mogocred: the logs are in $logs"
[ "$bad" = 0 ]
