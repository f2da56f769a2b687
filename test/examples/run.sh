#!/usr/bin/env bash
#
# test/examples/run.sh
#	What `make test-examples` calls: the token service and the OpenID provider with a
#	published OAuth client, the console and the portal in a real browser, clients declared
#	in a file, and Adminer, all on one throw-away server. TESTS="name name" chooses. The
#	last line is "N passed, N failed".

set -euo pipefail
lib=$(dirname "$0")/../lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$lib/results.sh"
# shellcheck source=test/lib/server.sh
. "$lib/server.sh"

wanted() { [ -z "${TESTS:-}" ] || [[ " $TESTS " == *" $1 "* ]]; }

# php-cgi: else Adminer's dependencies bring a web server, and start it.
need_debian nodejs npm chromium fonts-liberation php-cli php-cgi php-pgsql adminer
start_test_server examples
# The examples qualify every name, and need no search_path.
super -d test -c "ALTER DATABASE test RESET search_path"
need_node
tests=$(npm_copy test)
service=$(npm_copy examples/token-service)
provider=$(npm_copy examples/oidc-provider)
console=$(npm_copy examples/admin-console)
portal=$(npm_copy examples/portal)

mkdir "$work/pictures" "$work/sessions"
give "$work/pictures" "$work/sessions"
export SECRETS=$work/home/secrets

if wanted token-service; then
	say "token service: $("$PG_CONFIG" --version), Node.js $(node --version)"
	as_user 120 node "$tests/examples/token-service.mjs" "$service" 2>&1 </dev/null | count_lines token-service || true
fi

if wanted oidc-provider; then
	say "OpenID provider: oidc-provider $(node -p "require('$provider/node_modules/oidc-provider/package.json').version")"
	as_user 120 node "$tests/examples/oidc-provider.mjs" "$provider" 2>&1 </dev/null | count_lines oidc-provider || true
fi

if wanted admin-console; then
	say "admin console: $(chromium --version 2>/dev/null)"
	as_user 600 env TRUST_SOCKET="$work/socket" node "$tests/examples/admin-console.mjs" "$console" "$service" "$work/pictures" \
		2>&1 </dev/null | count_lines admin-console || true
fi

if wanted portal; then
	say "portal: $(chromium --version 2>/dev/null)"
	as_user 600 node "$tests/examples/portal.mjs" "$portal" "$console" "$service" "$work/pictures" \
		2>&1 </dev/null | count_lines portal || true
fi

if wanted provisioning; then
	say "doc/provisioning.md: node-pg-migrate $(node -p "require('$tests/node_modules/node-pg-migrate/package.json').version")"
	mkdir "$work/provisioning"
	cp "$SRC/doc/provisioning.md" "$work/provisioning"
	give "$work/provisioning"
	as_user 120 node "$tests/examples/provisioning.mjs" "$work/provisioning/provisioning.md" "$work/provisioning" \
		2>&1 </dev/null | count_lines provisioning || true
fi

if wanted adminer; then
	say "Adminer: Debian's $(dpkg-query -Wf '${Version}' adminer), $(php --version | head -n 1)"
	as_user 120 node "$tests/examples/adminer.mjs" "$work/sessions" "$work/pictures" 2>&1 </dev/null | count_lines adminer || true
fi

# log_statement = all: every statement of these programs is in the log.
super -d test -c CHECKPOINT
if ! grep -q mogo_ "$work/server.log" || [ "$(grep -c . "$SECRETS")" -lt 3 ]; then
	result FAILED "secrets: there is nothing to look into"
elif found=$(grep -rlFf "$SECRETS" "$work/data" "$work/server.log"); then
	result FAILED "secrets: in ${found//$'\n'/, }"
else
	result ok "secrets: none of the $(grep -c . "$SECRETS") that were issued is in tables, WAL or log"
fi
[ -z "${PICTURES:-}" ] || cp "$work"/pictures/*.png "$PICTURES/"
totals
