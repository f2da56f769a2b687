#!/usr/bin/env bash
#
# test/deep/coverage.sh FOLDER
#	After a run of check-coverage, whose files are in FOLDER: prints each source file's
#	line coverage. Every line that no test reached has to stand in test/unreached with its
#	reason, and what stands there has to be in the sources.

set -euo pipefail
work=$1
src=$(cd "$(dirname "$0")/../.." && pwd)

# $1 what was tested, $2 the file with the lines that are at fault.
verdict() {
	if [ ! -s "$2" ]; then
		echo "ok $1"
	else
		echo "FAILED $1"
		head -n 60 "$2"
	fi
}

# what test/t/build_core_hash.pl built has hash.c's other branch
for dir in "$work/build" "$work/build/tmp_check/core_hash"; do
	[ ! -d "$dir/src" ] || (cd "$dir" && gcov -o src src/*.gcno) >"$dir/gcov.log" 2>&1 ||
		echo "FAILED gcov: see $dir/gcov.log"
done
for file in "$src"/src/*.c; do
	name=$(basename "$file")
	awk -v name="$name" -v found="$work/$name.unreached" -f "$src/test/deep/coverage.awk" "$src/test/unreached" \
		"$work/build/$name.gcov" "$(compgen -G "$work/build/tmp_check/core_hash/$name.gcov" || echo /dev/null)" >"$work/$name.summary"
	verdict "$(cat "$work/$name.summary")" "$work/$name.unreached"
done
awk -F '\t' -v src="$src/src/" -f "$src/test/deep/gone.awk" "$src/test/unreached" >"$work/unreached.gone"
verdict "test/unreached has no line that the sources do not have" "$work/unreached.gone"
echo end
