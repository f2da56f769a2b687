#!/usr/bin/env bash
#
# test/deep/lint.sh check | format
#	What `make check-lint` and `make format` call. check looks for faults in source,
#	scripts and text without running them; any finding fails. format lays out the C and
#	Perl files as check wants them.
#
# C is laid out by PostgreSQL's pgindent. No package has it: PGSRC names a PostgreSQL source
# tree of 18 or later; without it, it comes from Debian's source package. If that cannot
# be had either, check says that it was skipped.

set -euo pipefail
lib=$(dirname "$0")/../lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$lib/results.sh"

max_width=100	# of a line of Markdown, SQL or a spec

# --- layout -------------------------------------------------------------------

# Prints our C sources without comments and strings, each line behind its file's name and
# its number.
bare_c() {
	local file
	for file in "$SRC"/src/*.[ch]; do
		perl -0pe 's{/\*.*?\*/|"(?:\\.|[^"\\\n])*"}{$& =~ s/[^\n]//gr}gse' "$file" | awk -v name="${file##*/}" '{print name ":" NR ": " $0}'
	done
}

# Prints the names of the types that our sources define.
our_types() {
	bare_c | sed 's/^[^:]*:[0-9]*: //' |
		perl -0ne 'print "$2\n" while /\btypedef\s+(?:struct|enum|union)\s*\w*\s*(\{(?:[^{}]++|(?1))*\})\s*(\w+)\s*;/g;
		print "$1\n" while /\btypedef\s+(?:\w+\s+)+\**(\w+);/g;
		print "$1\n" while /\btypedef\s[^;{]*\(\*(\w+)\)\s*\([^;{]*;/g;' | LC_ALL=C sort -u
}

# Prints where a variable or a parameter has the name of a type that pgindent knows.
named_like_types() {
	bare_c | perl -ne 'BEGIN {
			open my $f, "<", shift; chomp(my @t = <$f>);
			my %no = map { ($_ => 1) } qw(boolean date duration interval iterator other pointer reference rep string timestamp type wrap);
			$types = join "|", grep { !$no{$_} } @t;
		}
		print "$1 $3\n" if /^(\S+) (?!\s*typedef\b).*?(?<!\w)(\w+)\s+\**\b($types)\s*(?:[,;=\[]|\)(?!\s*[\w(]))/o &&
			$2 !~ /^(?:return|struct|enum|sizeof|const|else|case|unsigned|signed|typedef)$/' "$work/typedefs"
}

# Fetches PostgreSQL's newest source package from Debian, with apt's own lists left as they
# are. Prints the directory, or nothing if there is none.
fetch_source() {
	local apt major mirror dir=$work/apt
	command -v apt-get >/dev/null && command -v dpkg-source >/dev/null || return 0
	# where this machine's packages come from
	# shellcheck disable=SC2016	# the variable is apt-get's
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/$') || return 0
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	echo "deb-src $mirror sid main" >"$dir/list"
	apt="-qq -o Dir::Etc::SourceList=$dir/list -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$dir/lists -o Dir::Cache=$dir/cache"
	# shellcheck disable=SC2086	# a list of words
	(
		cd "$dir"
		timeout 120 apt-get $apt update
		for major in 20 19 18; do
			! timeout 300 apt-get $apt source --download-only "postgresql-$major" || break
		done
		tar -xf postgresql-*.orig.tar.* --wildcards '*/src/tools/pg_bsd_indent' '*/src/tools/pgindent'
	) >"$dir/log" 2>&1 || return 0
	printf '%s\n' "$dir"/postgresql-*/
}

# Makes pgindent ready: builds pg_bsd_indent in $work from PGSRC, or from Debian's source.
# Sets indent, to nothing if there is no source.
need_pgindent() {
	local source=${PGSRC:-}
	indent=
	[ -n "$source" ] || source=$(fetch_source)
	[ -e "$source/src/tools/pg_bsd_indent/indent.c" ] || return 0
	cp -R "$source/src/tools/pg_bsd_indent" "$work/bsd"
	# An older server's headers lack what newer sources are written with.
	cc -O1 -w '-Dpg_noreturn=__attribute__((noreturn))' '-Dpg_fallthrough=__attribute__((fallthrough))' \
		-I"$work/bsd" -I"$("$PG_CONFIG" --includedir-server)" "$work"/bsd/*.c -o "$work/pg_bsd_indent" \
		-L"$("$PG_CONFIG" --pkglibdir)" -L"$("$PG_CONFIG" --libdir)" -lpgport
	cat "$source/src/tools/pgindent/typedefs.list" "$SRC/typedefs.list" >"$work/typedefs"
	indent=$source/src/tools/pgindent/pgindent
}

# pgindent over the C files below directory $1. Before 19 it left no space in front of the
# second member of an initializer.
lay_out_c() {
	perl "$indent" --typedefs="$work/typedefs" --indent="$work/pg_bsd_indent" "$1"/*.[ch]
	perl -pi -e 's/,(?=\.\w+ = )/, /g' "$1"/*.[ch]
}

lay_out_perl() { perltidy --profile="$SRC/test/perltidyrc" "$1"/*.p[lm]; }

format() {
	our_types >"$SRC/typedefs.list"
	need_pgindent
	[ -n "$indent" ] || die "there is no pgindent: name a PostgreSQL source tree of 18 or later with PGSRC"
	lay_out_c "$SRC/src"
	lay_out_perl "$SRC/test/t"
}

check_layout() {
	our_types | diff "$SRC/typedefs.list" - >"$work/found" || true
	verdict "typedefs.list has the types of src, and no others (make format writes it)" "$work/found"

	need_pgindent
	if [ -z "$indent" ]; then
		say "  skipped pgindent: there is no PostgreSQL source of 18 or later; name one with PGSRC"
	else
		cp -R "$SRC/src" "$work/src"
		lay_out_c "$work/src" >"$work/found" 2>&1
		diff -ru -x '*.o' -x '*.bc' "$SRC/src" "$work/src" >>"$work/found" || true
		verdict "pgindent" "$work/found"
		named_like_types >"$work/found"
		verdict "no variable is named like a type" "$work/found"
	fi

	cp -R "$SRC/test/t" "$work/t"
	lay_out_perl "$work/t" >"$work/found" 2>&1 || true
	diff -ru "$SRC/test/t" "$work/t" >>"$work/found" || true
	verdict "perltidy" "$work/found"
}

# --- structure and text -------------------------------------------------------

# Builds the library and looks for a circle between object files: a layer that calls one
# above it.
check_circle() {
	tar -C "$SRC" -cf - Makefile mogocred.control sql src | { mkdir "$work/build" && tar -C "$work/build" -xf -; }
	rm -f "$work"/build/src/*.o "$work"/build/src/*.bc
	if ! make -s -C "$work/build" -j"$(nproc)" PG_CONFIG="$PG_CONFIG" with_llvm=no >"$work/found" 2>&1; then
		verdict "build" "$work/found"
		return
	fi
	(cd "$work/build/src" && nm -A -g -- *.o) | awk '
		{ sub(/\.o:.*/, "", $1); name = $NF; kind = $(NF - 1) }
		kind == "U" { uses[$1 " " name] = 1; next }
		{ defines[name] = $1 }
		END {
			for (use in uses) {
				split(use, part, " ")
				if (part[2] in defines) print part[1], defines[part[2]]
			}
		}' | LC_ALL=C sort -u >"$work/uses"
	tsort "$work/uses" 2>&1 >/dev/null | sed '/^tsort: .*loop:$/d; s/^tsort: //' >"$work/found" || true
	verdict "no circle between object files" "$work/found"
}

# Prints where SQL of ours has a word that looks for an operator by search_path and cannot be
# told which: in a statement that runs as the tables' owner an operator of the caller's.
unqualifiable() {
	{
		grep -nHoE '"([^"\\]|\\.)*"' src/*.c
		sed 's/--.*//' sql/*.sql | grep -nH --label=sql ''
	} | grep -E '\b(NULLIF|(I?LIKE|BETWEEN|SIMILAR TO|IS (NOT )?DISTINCT FROM) |IN \(|USING \(|NATURAL )|\bCASE \w+ WHEN' || true
}

# Prints the lines of files that are wider than $max_width columns. In Markdown, what stands
# in a code block may be: it was printed by a program.
too_wide() {
	perl -CSD -ne 'BEGIN { $width = shift } chomp;
		1 while s/^([^\t]*)\t/$1 . " " x (4 - length($1) % 4)/e;
		$code = !$code if $ARGV =~ /\.md$/ && /^\s*```/;
		print "$ARGV:$.: ", length, " characters\n" if length > $width && !$code;
		close ARGV if eof' "$max_width" "$@"
}

check_text() {
	cd "$SRC"
	too_wide ./*.md doc/*.md {examples,test}/*/README.md >"$work/found"
	verdict "no Markdown wider than $max_width columns" "$work/found"
	too_wide test/sql/*.sql test/specs/*.spec >"$work/found"
	verdict "no SQL test wider than $max_width columns" "$work/found"
	grep -nP '^\t* +\S' test/sql/*.sql test/specs/*.spec >"$work/found" || true
	verdict "SQL tests are indented by tabs" "$work/found"
	unqualifiable >"$work/found"
	verdict "no operator in our SQL is found by search_path" "$work/found"
	awk -F '\t' -v src=src/ -f test/deep/gone.awk test/unreached >"$work/found"
	verdict "test/unreached has no line that the sources do not have" "$work/found"
	grep -L "use warnings FATAL => 'all';" test/t/*.p[lm] >"$work/found" || true
	verdict "Perl's warnings are fatal" "$work/found"
}

# --- other people's tools -----------------------------------------------------

# clang-tidy's checks: clang's static analyzer and two more families, less those that fault PostgreSQL's own macros
# and idioms.
tidy_checks='-*,clang-analyzer-*,bugprone-*,cert-*'
for name in bugprone-easily-swappable-parameters bugprone-reserved-identifier cert-dcl37-c cert-dcl51-cpp \
	bugprone-not-null-terminated-result bugprone-narrowing-conversions bugprone-assignment-in-if-condition \
	bugprone-macro-parentheses bugprone-implicit-widening-of-multiplication-result \
	clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling; do
	tidy_checks+=,-$name
done

# Runs a command for each C file, with the file's name as its last argument, as many at a
# time as there are processors.
for_each_c() { printf '%s\0' "$SRC"/src/*.c | xargs -0 -n 1 -P "$(nproc)" "$@"; }

check_tools() {
	local flags
	read -ra flags <<<"-I$SRC/src -I$("$PG_CONFIG" --includedir-server) -D_GNU_SOURCE -Wno-ignored-attributes"

	for_each_c clang-tidy --quiet --header-filter="$SRC/src/.*" --checks="$tidy_checks" \
		"${flags[@]/#/--extra-arg=}" >"$work/found" 2>/dev/null || true
	verdict "clang-tidy" "$work/found"

	cppcheck --quiet -j"$(nproc)" --enable=warning,portability,performance --inline-suppr --std=c99 \
		--suppress=missingInclude --library=gnu "${flags[@]:0:3}" --suppress="*:$("$PG_CONFIG" --includedir-server)/*" \
		--error-exitcode=1 "$SRC/src" >"$work/found" 2>&1 || true
	verdict "cppcheck" "$work/found"

	(cd "$SRC" && shellcheck -x {demo,bench}/*.sh test/*.sh test/*/*.sh .ci/run) >"$work/found" 2>&1 || true
	verdict "shellcheck" "$work/found"
}

need_packages test
need_tools perltidy perltidy
work=$(mktemp -d /tmp/mogocred-lint.XXXXXX)
trap 'rm -rf "$work"' EXIT
case ${1:-} in
	format) format ;;
	check)
		need_tools clang clang clang-tidy clang-tidy cppcheck cppcheck shellcheck shellcheck
		check_text
		check_layout
		check_circle
		check_tools
		totals
		;;
	*) die "usage: test/deep/lint.sh check | format" ;;
esac
