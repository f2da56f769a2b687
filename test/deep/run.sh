#!/usr/bin/env bash
#
# test/deep/run.sh check-lint | check-fuzz | check-sanitize | check-valgrind |
#	check-coverage | check-deep | check-timing
#	What the Makefile's targets of the same names call: the slow and thorough checks.
#	check-deep is all but the last. They are not part of `make test` because they take an
#	hour. Each but check-timing ends with a line "N passed, N failed" and fails if it
#	found anything.

set -euo pipefail
lib=$(dirname "$0")/../lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$lib/results.sh"

FUZZ_SECONDS=${FUZZ_SECONDS:-600}	# for each parser

# See lint.sh.
check_lint() { "$SRC/test/deep/lint.sh" check; }

# Each parser under libFuzzer with AddressSanitizer and UndefinedBehaviorSanitizer.
check_fuzz() {
	local work
	need_packages test
	need_tools clang clang
	work=$(mktemp -d /tmp/mogocred-fuzz.XXXXXX)
	cp -R "$SRC/test/fuzz/corpus" "$work/corpus"
	clang -g -O1 -Wno-ignored-attributes -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -I"$SRC/src" -I"$("$PG_CONFIG" --includedir-server)" \
		"$SRC/test/fuzz/parse_fuzzer.c" "$SRC/src/parse.c" -o "$work/fuzzer" ||
		die "the fuzzer could not be built"
	clang -D_GNU_SOURCE -g -O1 -Wno-ignored-attributes -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -I"$SRC/src" -I"$("$PG_CONFIG" --includedir-server)" \
		"$SRC/test/fuzz/redact_fuzzer.c" "$SRC/src/redact_scan.c" -o "$work/redact_fuzzer" \
		-L"$("$PG_CONFIG" --pkglibdir)" -L"$("$PG_CONFIG" --libdir)" -lpgport ||
		die "the fuzzer of the scanner could not be built"
	# One byte chooses the parser, so each has its own run with that byte given.
	for parser in uuid digest bcrypt basic pbkdf2 plain external_id address redact; do
		mkdir "$work/$parser"
		cp "$work"/corpus/"$parser"* "$work/$parser/"
		if (cd "$work" && FUZZ_PARSER=$parser "./$([ "$parser" != redact ] || echo redact_)fuzzer" -max_total_time="$FUZZ_SECONDS" -max_len=8192 \
			-print_final_stats=1 "$parser" >"$parser.log" 2>&1); then
			result ok "fuzz $parser: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$parser.log") inputs in $FUZZ_SECONDS s"
		else
			result FAILED "fuzz $parser"
			tail -n 40 "$work/$parser.log" | sed 's/^/    | /'
		fi
	done
	[ "$failed" != 0 ] || rm -rf "$work"
	totals
}

# The whole suite with our library built with both sanitizers; the server preloads
# their runtime. PostgreSQL frees its memory by exiting, so leaks are not asked for,
# and finds its stack's end by an address, so stacks must be where they seem.
check_sanitize() {
	local asan ubsan
	need_packages test
	asan=$(cc -print-file-name=libasan.so)
	ubsan=$(cc -print-file-name=libubsan.so)
	export COPT="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-sanitize=alignment -O1"
	! "$("$PG_CONFIG" --bindir)/pg_config" --configure | grep -q enable-nls ||
		die "with the sanitizers' runtime preloaded, a server built with --enable-nls (Debian's) hangs at its start in bindtextdomain(); name another with PG_CONFIG"
	asan=$(realpath "$asan") ubsan=$(realpath "$ubsan")
	export WRAP_ENV="LD_PRELOAD=$asan:$ubsan ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1"
	"$SRC/test/run.sh"
}

# The SQL tests under Valgrind. PostgreSQL's own reports, which need its source's
# suppressions and a build with USE_VALGRIND, are not ours to count: a finding is a
# report with our library in its stack.
check_valgrind() {
	need_packages test
	need_tools valgrind valgrind
	export COPT="-O1 -g"
	export WRAP="valgrind --quiet --trace-children=yes --leak-check=no --gen-suppressions=no --num-callers=30 --log-file=/tmp/mogocred-valgrind/%p.log"
	rm -rf /tmp/mogocred-valgrind
	mkdir -m 777 /tmp/mogocred-valgrind
	TESTS=${TESTS:-$(cd "$SRC/test/sql" && printf '%s ' *.sql | sed 's/\.sql / /g')}
	export TESTS AFTER=$SRC/test/deep/valgrind.sh
	"$SRC/test/run.sh"
}

# Line coverage of src/ by the whole suite. What gcov counted is written when a process
# ends by itself, so what a killed server did is not in it.
check_coverage() {
	need_packages test
	need_tools gcov gcc
	export COPT="--coverage -O0"
	export AFTER=$SRC/test/deep/coverage.sh
	"$SRC/test/run.sh"
}

# All of the above, each in a process of its own.
check_deep() {
	local step
	for step in check-lint check-fuzz check-sanitize check-valgrind check-coverage; do
		say "== $step"
		if PG_CONFIG=${PG_CONFIG:-} "$SRC/test/deep/run.sh" "$step"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
	done
	totals
}

# The statistic of test/deep/timing.sql, on a server of its own. No verdict: the reader's.
check_timing() {
	local work
	need_packages test
	work=$(mktemp -d /tmp/mogocred-timing.XXXXXX)
	private_install "$work"
	give "$work"
	run_as "$bindir/initdb" -D "$work/data" -A trust -U postgres >/dev/null
	run_as "$bindir/pg_ctl" -D "$work/data" -w -l "$work/log" \
		-o "-c listen_addresses='' -c unix_socket_directories='$work'" start >/dev/null
	run_as "$bindir/psql" -X -q -h "$work" -U postgres -d postgres \
		-c "SET client_min_messages = warning; CREATE EXTENSION mogocred CASCADE" -f - <"$SRC/test/deep/timing.sql"
	run_as "$bindir/pg_ctl" -D "$work/data" -m fast stop >/dev/null
	rm -rf "$work"
}

case ${1:-} in
	check-*) "${1//-/_}" ;;
	*) die "usage: test/deep/run.sh check-lint (or another of the Makefile's check-... targets)" ;;
esac
