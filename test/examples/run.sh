#!/usr/bin/env bash
#
# test/examples/run.sh
#	What `make test-examples` calls: the token service with a published OAuth client, the
#	console in a real browser, and Adminer, all on one throw-away server. TESTS="name name"
#	chooses. The last line is "N passed, N failed".

set -euo pipefail
shopt -s lastpipe	# so that what ends a pipe can count
# shellcheck source=test/real.sh
. "$(dirname "$0")/../real.sh"

wanted() { [ -z "${TESTS:-}" ] || [[ " $TESTS " == *" $1 "* ]]; }

need_debian nodejs npm
start_server examples
tests=$(npm_copy test)
service=$(npm_copy examples/token-service)

if wanted token-service; then
	say "token service: $("$PG_CONFIG" --version), Node.js $(node --version)"
	as_user 120 node "$tests/examples/token-service.mjs" "$service" 2>&1 </dev/null | report token-service || true
fi
totals
