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

need_debian nodejs npm chromium fonts-liberation
start_server examples
tests=$(npm_copy test)
service=$(npm_copy examples/token-service)
console=$(npm_copy examples/admin-console)

if wanted token-service; then
	say "token service: $("$PG_CONFIG" --version), Node.js $(node --version)"
	as_user 120 node "$tests/examples/token-service.mjs" "$service" 2>&1 </dev/null | report token-service || true
fi
if wanted admin-console; then
	mkdir "$work/pictures"
	give "$work/pictures"
	say "admin console: $(chromium --version 2>/dev/null)"
	as_user 240 env TRUST_SOCKET="$work/socket" node "$tests/examples/admin-console.mjs" "$console" "$service" "$work/pictures" \
		2>&1 </dev/null | report admin-console || true
	[ -z "${PICTURES:-}" ] || cp "$work"/pictures/*.png "$PICTURES/"
fi
totals
