#!/usr/bin/env bash
#
# test/drivers/run.sh
#	What `make test-drivers` calls: the ten things of types/ through six drivers, the
#	three calls of doc/languages.md through every client that it names, and the blocks of
#	doc/migrations.md and doc/recipes.md, against a throw-away server. README.md has the
#	tables. The last line is "N passed, N failed".

set -euo pipefail
lib=$(dirname "$0")/../lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$lib/results.sh"
# shellcheck source=test/lib/server.sh
. "$lib/server.sh"

drivers=$SRC/test/drivers
java=/usr/share/java
declare -A skipped

# --- packages -----------------------------------------------------------------

# Whether Debian's package $1 is installed or can be.
can_have() {
	dpkg-query -Wf '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed' || apt-cache show "$1" >/dev/null 2>&1
}

# Installs what the file packages names, and fills skipped with the clients for which this
# release of Debian lacks something.
need_clients_packages() {
	local client package wanted=() packages asked=
	while read -r client packages; do
		[[ $client != '' && $client != '#'* ]] || continue
		for package in $packages; do
			if ! can_have "$package" && [ -z "$asked" ]; then
				as_root apt-get -q update </dev/null >/dev/null
				asked=yes
			fi
			can_have "$package" || skipped[$client]=$package
		done
		# shellcheck disable=SC2206	# a list of words
		[ -n "${skipped[$client]:-}" ] || wanted+=($packages)
	done <"$drivers/packages"
	mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)
	need_debian "${wanted[@]}"
}

# --- the ten things of types/ -------------------------------------------------

things=(add json "verify uuid" "verify text" null prepared authenticate basic sqlstate listen)
names=(libpq psycopg asyncpg node-postgres Postgres.js JDBC)
declare -A how

# Runs one driver's test. $1 its name, $2... the command.
driver() {
	local name=$1 thing line out=$work/$1.out
	shift
	as_user 60 "$@" >"$out" 2>&1 </dev/null || true
	how[$name,version]=$(sed -n 's/^# //p' "$out")
	for thing in "${things[@]}"; do
		line=$(grep -xm 1 -E "ok $thing|FAILED $thing: .*" "$out" || echo "FAILED $thing: no result")
		how[$name,$thing]=${line%% *}
		if [ "${line%% *}" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
	done
	if grep -q -v -E '^(ok|#) ' "$out" || [ "$(grep -c '^ok ' "$out")" != ${#things[@]} ]; then
		sed "s/^/    | $name: /" "$out"
	fi
}

row() { (printf '%-13s' "$1"; shift; printf ' %-14s' "$@"; echo) | sed 's, *$,,'; }

test_types() {
	local types=$tests/types thing name cells
	cc -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -I"$("$PG_CONFIG" --includedir)" \
		-o "$types/libpq" "$types/libpq.c" -L"$("$PG_CONFIG" --libdir)" -lpq
	javac -cp $java/postgresql.jar -d "$types" "$types/Jdbc.java"
	say "mogocred: six drivers against $("$PG_CONFIG" --version)"
	driver libpq "$types/libpq"
	driver psycopg /usr/bin/python3 "$types/psycopg3.py"
	driver asyncpg /usr/bin/python3 "$types/asyncpg_driver.py"
	driver node-postgres node "$types/node-postgres.mjs"
	driver Postgres.js node "$types/postgres-js.mjs"
	driver JDBC java -cp "$java/postgresql.jar:$types" Jdbc
	row "" "${names[@]}"
	for thing in version "${things[@]}"; do
		cells=()
		for name in "${names[@]}"; do cells+=("${how[$name,$thing]}"); done
		row "$thing" "${cells[@]}"
	done
}

# --- the three calls of doc/languages.md --------------------------------------

# Puts each client's program beside its snippet, into a directory of its own.
lay_out_clients() {
	local name program
	awk -v to="$tests/snippets" -f "$drivers/lib/snippets.awk" "$SRC/doc/languages.md" >"$work/clients"
	while read -r name; do
		program=$name
		[ "$name" != libpqxx.hpp ] || program=libpqxx.cpp
		cp "$drivers/clients/$program" "$tests/snippets/$name/main.${program##*.}"
		cp "$drivers/lib/"[Cc]onversation."${name##*.}" "$tests/snippets/$name/" 2>/dev/null || true
	done <"$work/clients"
}

# Builds the client $1, in its directory.
build_client() {
	local version
	cd "$tests/snippets/$1"
	case $1 in
		Jdbc.java | Spring.java) javac -cp "$(java_path "$1")" -d . ./*.java ;;
		libpqxx.hpp) c++ -std=c++17 -o main main.cpp -lpqxx -lpq ;;
		*.go)
			version=$(dpkg-query -Wf '${Package} ${Version}\n' golang-github-{lib-pq,jackc-pgx-v4}-dev 2>/dev/null |
				awk -v of="${1%.go}" 'index($1, of) { sub(/-[^-]*$/, "", $2); print $2 }')
			printf 'package main\n\nconst version = "%s"\n' "$version" >version.go
			GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$work/gocache go build -o main . ;;
		tokio_postgres.rs)
			mkdir src .cargo
			cp main.rs snippet.rs src/
			printf '[package]\nname = "client"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n%s\n%s\n' \
				'tokio = { version = "1", features = ["rt", "macros"] }' 'tokio-postgres = "0.7"' >Cargo.toml
			printf '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "%s"\n' \
				/usr/share/cargo/registry >.cargo/config.toml
			version=$(dpkg-query -Wf '${Version}' librust-tokio-postgres-dev)
			CARGO_HOME=$PWD/.cargo VERSION=${version%-*} cargo build --offline
			cp target/debug/client main ;;
		prisma.mjs)
			# Its own engine, for migrations, cannot be downloaded here and is not needed.
			printf 'generator client {\n provider = "prisma-client-js"\n output = "./client"\n}\n%s\n' \
				$'datasource db {\n provider = "postgresql"\n}' >schema.prisma
			CHECKPOINT_DISABLE=1 PRISMA_SCHEMA_ENGINE_BINARY=/bin/true npx prisma generate --schema schema.prisma ;;
	esac
}

java_path() {
	local path=.:$java/postgresql.jar jar
	if [ "$1" = Spring.java ]; then
		for jar in spring3-{jdbc,core,beans,transaction} commons-logging; do path+=:$java/$jar.jar; done
	fi
	echo "$path"
}

# Prints the command that runs client $1.
command_of() {
	local main=$tests/snippets/$1/main
	case $1 in
		*.php) echo "php $main.php" ;;
		*.rb) echo "ruby $main.rb" ;;
		*.py) echo "/usr/bin/python3 $main.py" ;;
		*.mjs) echo "node $main.mjs" ;;
		*.java) echo "java -cp $tests/snippets/$1:$(java_path "$1") Main" ;;
		*.pl) echo "perl $main.pl" ;;
		*.lua) echo "lua5.3 $main.lua" ;;
		*.tcl) echo "tclsh $main.tcl" ;;
		*.sh) echo "sh $main.sh" ;;
		*) echo "$main" ;;
	esac
}

# Starts to build, one after the other, what has to be built.
start_builds() {
	local name
	while read -r name; do
		[ -z "${skipped[$name]:-}" ] || continue
		(build_client "$name") >"$tests/snippets/$name/build.log" 2>&1 ||
			{ say "mogocred: $name was not built:"; tail -n 20 "$tests/snippets/$name/build.log"; }
	done <"$work/clients" >"$work/builds" 2>&1 &
	builds=$!
}

# Lets the judge talk with every client, in a database with nothing in its search path.
test_clients() {
	local name line
	wait "$builds"
	cat "$work/builds"
	give "$tests/snippets"
	while read -r name; do
		if [ -n "${skipped[$name]:-}" ]; then
			say "  skipped $name: Debian $(cat /etc/debian_version) has no ${skipped[$name]}"
		else
			printf '%s\t%s\n' "$name" "$(command_of "$name")"
		fi
	done <"$work/clients" >"$work/commands.all"
	grep $'\t' "$work/commands.all" >"$work/commands"
	grep -v $'\t' "$work/commands.all" || true
	say "mogocred: $(wc -l <"$work/commands") clients, with the blocks of doc/languages.md"
	PGDATABASE=app as_user 600 /usr/bin/python3 "$drivers/judge.py" "$work/commands" 2>"$work/clients.err" |
		while IFS= read -r line; do
			case $line in
				"ok "*) passed=$((passed + 1)) ;;
				"FAILED "*) failed=$((failed + 1)) ;;
				*) say "${line#\# }" ;;
			esac
		done || result FAILED "the judge did not get to its end"
	[ "$failed" = 0 ] || cat "$work/clients.err"
}

# --- doc/migrations.md and doc/recipes.md -------------------------------------

# Runs the programs of tools/ and recipes/ with the blocks of their pages, as a superuser
# of databases that have the extension in a schema of its own and in public.
test_pages() {
	local program name interpreter database
	for name in migrations recipes; do
		awk -v to="$tests/blocks" -f "$drivers/lib/snippets.awk" "$SRC/doc/$name.md" >/dev/null
	done
	give "$tests/blocks"
	super -d postgres -c 'CREATE ROLE my_admin' -c 'CREATE ROLE my_service'
	for database in own in_public recipes; do super -d postgres -c "CREATE DATABASE $database"; done
	for database in own recipes; do
		super -d $database -c 'CREATE SCHEMA mogo' -c 'CREATE EXTENSION mogocred SCHEMA mogo CASCADE'
	done
	super -d in_public -c 'CREATE EXTENSION mogocred CASCADE'
	super -d recipes -c "SELECT mogo.mogo_grant_admin('my_admin')"
	for database in own in_public; do super -d $database -c 'CREATE TABLE thing (id int PRIMARY KEY)'; done
	for program in "$tests"/tools/* "$tests"/recipes/*; do
		name=${program##*/}
		case $name in *.py) interpreter=/usr/bin/python3 ;; *.rb) interpreter=ruby ;; *.mjs) interpreter=node ;; *) interpreter=bash ;; esac
		if [ -n "${skipped[$name]:-}" ]; then
			say "  skipped $name: Debian $(cat /etc/debian_version) has no ${skipped[$name]}"
			continue
		fi
		as_user 120 env -u PGDATABASE PGUSER=postgres PATH="$bindir:$PATH" BLOCKS="$tests/blocks" NODE_MODULES="$tests/node_modules" \
			"$interpreter" "$program" 2>"$work/$name.err" </dev/null | count_lines "${name%.*}"
	done
}

need_clients_packages
start_test_server drivers
need_node
super -d postgres -c 'CREATE DATABASE app'
super -d app <<-SQL
	CREATE SCHEMA mogo;
	CREATE EXTENSION mogocred SCHEMA mogo CASCADE;
	SELECT mogo.mogo_grant_admin('test_admin'), mogo.mogo_grant_verifier('test_service');
SQL
export PGUSER=test_admin
tests=$(npm_copy test/drivers)
lay_out_clients
start_builds
test_types
test_clients
test_pages
totals
