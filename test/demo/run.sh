#!/usr/bin/env bash
#
# test/demo/run.sh
#	What `make test-demo` calls: the demo as a newcomer uses it, with its console and its
#	token service, in a directory of its own: a demo that runs stays as it is. The last
#	line is "N passed, N failed".

set -euo pipefail
lib=$(dirname "$0")/../lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$lib/results.sh"

out=$(mktemp -d /tmp/mogocred-test-demo.XXXXXX)
export MOGOCRED_DEMO=$out.demo
demo=$MOGOCRED_DEMO
cd "$out"	# where the demo leaves the client's file

# Runs a command with its output shown and kept in file $1.
shown() { local file=$1; shift; "$@" </dev/null 2>&1 | tee "$file" | sed -u 's/^/  | /'; }

# Starts an example in the background, until it says where it is. $1 make's target.
start_example() {
	setsid "$SRC/demo/run.sh" "$1" </dev/null >"log-$1" 2>&1 &
	examples+=($!)
	while ! grep -q '^\(admin console\|token service\): http' "log-$1"; do
		kill -0 $! 2>/dev/null || { cat "log-$1"; return 1; }
		sleep 0.2
	done
}

# Counts a condition. $1 what is tested, $2... a command.
holds() {
	local what=$1
	shift
	if "$@"; then result ok "$what"; else result FAILED "$what"; fi
}

examples=()
end_all() {
	local pid
	for pid in ${examples[@]+"${examples[@]}"}; do
		kill -- "-$pid" 2>/dev/null || :
	done
	"$SRC/demo/run.sh" demo-stop >/dev/null || :
	rm -rf "$out"
}
trap end_all EXIT

ended() { ! kill -0 "$1" 2>/dev/null; }
nothing_left() { ! compgen -G "$demo*" && [ -z "$(ls ./*.json 2>/dev/null)" ]; }
empty() { [ ! -s "$1" ]; }

say "make demo, and Ctrl-C while it builds"
# Packages that are missing come first, and are not to be interrupted here.
# shellcheck disable=SC2034	# for need_packages
PG_CONFIG=${PG_CONFIG:-} && need_packages demo
# A shell without a terminal has what it starts in the background ignore Ctrl-C.
setsid env --default-signal=INT "$SRC/demo/run.sh" demo </dev/null >interrupted 2>&1 &
pid=$!
# The compiler's log: a signal between two short commands is bash's to lose.
until [ -e "$demo/build.log" ]; do
	kill -0 "$pid" 2>/dev/null || { cat interrupted; break; }
	sleep 0.1
done
kill -INT -- "-$pid"
wait "$pid" || :
holds "what it is going to do comes first: time, size, how to end it" \
	bash -c 'head -n 8 interrupted | tr "\n" " " | grep -q "minute.* MB .*GB.*Ctrl-C.*demo-stop"'
holds "Ctrl-C: it says so" grep -q 'mogocred: interrupted' interrupted
holds "Ctrl-C: nothing is left" nothing_left

say "make demo"
holds "make demo" shown first "$SRC/demo/run.sh" demo
sed -n 's/^ *demo=[>#] //p; s/.*try there *//p' first >lines
grep -P '(?<!mogo\.)\bmogo_\w+' lines >unqualified || :
holds "every line of SQL that it shows is qualified, and can be pasted elsewhere" empty unqualified
psql=$(sed -n 's/^ *as the administrator *//p' first)
try=$(sed -n 's/^ *and try there *//p' first)
holds "the line to try, in the session that it names" \
	bash -c "$psql -Xc \"\$0\" | grep -q 'My first client'" "$try"

say "make demo-console, make demo-token-service"
start_example demo-console && start_example demo-token-service
sed -n "/^ *node -e/,/'\$/p" log-demo-token-service >recipe
holds "the token service's recipe, with no more than is installed" \
	bash -c "bash recipe | grep -q '\"token_type\":\"Bearer\"'"

say "make demo, again"
holds "a second make demo" shown second "$SRC/demo/run.sh" demo
holds "it ended the console of the first one" ended "${examples[0]}"
holds "it ended the token service of the first one" ended "${examples[1]}"

start_example demo-console && start_example demo-token-service
holds "make demo-stop" shown stop "$SRC/demo/run.sh" demo-stop
holds "it ended the console" ended "${examples[2]}"
holds "it ended the token service" ended "${examples[3]}"
holds "nothing is left" nothing_left
holds "a second make demo-stop has nothing to do" shown stop "$SRC/demo/run.sh" demo-stop
totals
