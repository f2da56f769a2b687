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

# php-cgi: else Adminer's dependencies bring a web server, and start it.
need_debian nodejs npm chromium fonts-liberation php-cli php-cgi php-pgsql adminer
start_server examples
tests=$(npm_copy test)
service=$(npm_copy examples/token-service)
console=$(npm_copy examples/admin-console)

if wanted token-service; then
	say "token service: $("$PG_CONFIG" --version), Node.js $(node --version)"
	as_user 120 node "$tests/examples/token-service.mjs" "$service" 2>&1 </dev/null | report token-service || true
fi
mkdir "$work/pictures" "$work/sessions"
give "$work/pictures" "$work/sessions"
if wanted admin-console; then
	say "admin console: $(chromium --version 2>/dev/null)"
	as_user 240 env TRUST_SOCKET="$work/socket" node "$tests/examples/admin-console.mjs" "$console" "$service" "$work/pictures" \
		2>&1 </dev/null | report admin-console || true
fi

if wanted adminer; then
	say "Adminer: Debian's $(dpkg-query -Wf '${Version}' adminer), $(php --version | head -n 1)"
	as_user 120 node "$tests/examples/adminer.mjs" "$work/sessions" "$work/pictures" 2>&1 </dev/null | report adminer || true
fi
[ -z "${PICTURES:-}" ] || cp "$work"/pictures/*.png "$PICTURES/"
totals
