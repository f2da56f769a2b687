#!/usr/bin/env bash
#
# test/demo-examples.sh demo-console | demo-token-service
#	What the Makefile's targets of the same names call: an example on the running demo's
#	server, in the foreground, with its files below the demo's own. PORT chooses a port.

set -euo pipefail
# shellcheck source=test/real.sh
. "$(dirname "$0")/real.sh"
# shellcheck source=test/demo.sh
. "$SRC/test/demo.sh"

case ${1:-} in
	demo-console) example=admin-console user=demo_admin preferred=3001 ;;
	demo-token-service) example=token-service user=demo_token_service preferred=3000 ;;
	*) die "usage: test/demo-examples.sh demo-console | demo-token-service" ;;
esac
[ -r "$demo/where" ] || die "no demo of $(id -un) is running here: make demo"
{ [ -O "$demo" ] && [ ! -L "$demo" ]; } || die "$demo belongs to somebody else"
read -r pgport <"$demo/where"
need_debian nodejs npm

# Each start has a directory of its own, which goes with it.
work=$(mktemp -d "$demo/$example.XXXXXX")
chmod 711 "$work"
trap 'rm -rf "$work"' EXIT
trap : INT
need_node
copy=$(npm_copy "examples/$example")
mkdir "$work/home"
give "$work/home"

export PGHOST=127.0.0.1 PGPORT=$pgport PGDATABASE=demo PORT=${PORT:-$preferred}
if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
	say "Port $PORT is taken, another one is used."
	PORT=$(free_port)
fi
if [ "$example" = admin-console ]; then
	say "Sign in as demo_admin. The password is what this prints:  sed -n 's/.*:demo_admin://p' $demo/pgpass"
else
	# As a service gets it: from the environment, not from a command line.
	export PGUSER=$user
	PGPASSWORD=$(sed -n "s/.*:$user://p" "$demo/pgpass")
	export PGPASSWORD
	say "Ask for a token with the file that the demo left, for example:"
	say "    node -p 'const { clientId, clientSecret } = require(\"$(cat "$demo/json")\"); new URLSearchParams({ client_id: clientId, client_secret: clientSecret }).toString()' |"
	say "        curl --data @- 'http://127.0.0.1:$PORT/api/v1/oauth2/token?grant_type=client_credentials'"
fi
say "Ctrl-C ends it."
run_as env HOME="$work/home" node "$copy/server.mjs" || true
