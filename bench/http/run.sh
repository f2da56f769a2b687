#!/usr/bin/env bash
#
# bench/http/run.sh
#	What `make bench-http` calls: tokens a second over HTTP, side by side in one run.
#
# The same OpenID provider (examples/oidc-provider) with its clients' secrets in mogocred,
# under bcrypt cost 10 (pgcrypto's crypt), under PBKDF2 with 25,000 iterations (Node.js'
# own, in its thread pool) and in clear; and the example token service. Only where a
# client and its secret stand differs: three places of the example's text. wrk from Debian
# asks from the same machine over the loopback address, each time for one of 1,000 clients,
# by turns. CPU time is that of node and of all of the server's processes; wrk's is not in it.
#
#	ROUNDS=5 SECONDS_EACH=5

set -euo pipefail
lib=$(dirname "$0")/../../test/lib
# shellcheck source=test/lib/install.sh
. "$lib/install.sh"
# shellcheck source=test/lib/results.sh
. "$lib/results.sh"
# shellcheck source=test/lib/server.sh
. "$lib/server.sh"

rounds=${ROUNDS:-5} each=${SECONDS_EACH:-5}
clients=1000 connections=8
kinds=(mogocred clear pbkdf2 bcrypt service)
declare -A names=(
	[mogocred]='oidc-provider, secrets in mogocred' [clear]='oidc-provider, in clear'
	[pbkdf2]='oidc-provider, PBKDF2 25,000' [bcrypt]='oidc-provider, bcrypt cost 10'
	[service]='examples/token-service, in mogocred'
)

need_debian nodejs npm wrk
start_test_server bench-http
super -d test -c "ALTER SYSTEM SET log_statement = none" -c "ALTER SYSTEM SET fsync = on" -c "SELECT pg_reload_conf()"
need_node
provider=$(npm_copy examples/oidc-provider)
service=$(npm_copy examples/token-service)

# --- the clients, and where else their secrets stand -----------------------------

super -d test <<-SQL
	CREATE SCHEMA bench;
	CREATE TABLE bench.client AS
	SELECT client_id, client_name, client_secret, NULL::text AS external_id, true AS enabled,
		'{read,write}'::text[] AS scopes, '{}'::jsonb AS metadata, '{}'::cidr[] AS allowed_cidrs
	FROM generate_series(1, $clients) AS n
	CROSS JOIN LATERAL mogo_add_client('client ' || n, scopes => '{read,write}') AS c;
	ALTER TABLE bench.client ADD PRIMARY KEY (client_id), ADD bcrypt text, ADD pbkdf2 text;
	UPDATE bench.client SET bcrypt = crypt(client_secret, gen_salt('bf', 10));
	GRANT USAGE ON SCHEMA bench TO test_service;
	GRANT SELECT, UPDATE ON bench.client TO test_service;
	VACUUM ANALYZE;
SQL
as_user 300 env PGUSER=test_service node --input-type=module - "$provider" <<'JS'
import { createRequire } from 'node:module'
import { pbkdf2Sync } from 'node:crypto'
const pg = createRequire(`${process.argv[2]}/`)('pg')
const client = new pg.Client()
await client.connect()
for (const { client_id, client_secret } of (await client.query('SELECT client_id, client_secret FROM bench.client')).rows) {
  const hash = pbkdf2Sync(client_secret, client_id, 25000, 32, 'sha256').toString('hex')
  await client.query('UPDATE bench.client SET pbkdf2 = $2 WHERE client_id = $1', [client_id, hash])
}
await client.end()
JS
socket_psql "$work" postgres -d test -At \
	-c "SELECT translate(encode(convert_to(client_id || ':' || client_secret, 'UTF8'), 'base64'), E'\n', '') FROM bench.client" >"$work/home/basic"

# Writes $provider/$1.mjs: the example with other places for clients and secrets. $2 is what the
# provider is given as the secret, $3 the body of compareClientSecret.
variant() {
	node - "$provider" "$@" <<'JS'
const { readFileSync, writeFileSync } = require('node:fs')
const [, , directory, name, secret, compare] = process.argv
let text = readFileSync(`${directory}/server.mjs`, 'utf8')
function put (from, to) {
  if (!from.test(text)) throw new Error(`the example has changed: ${from}`)
  text = text.replace(from, () => to)
}
put(/state\.proof \?\?= [^]*?const row = [^]*?`, id\)/, `const row = await ask('client',
    'SELECT client_id, client_name, scopes, metadata, external_id, enabled, allowed_cidrs, client_secret ' +
    'FROM bench.client WHERE client_id = $1::uuid', id)`)
put(/client_secret: nobodys/, `client_secret: ${secret}`)
put(/provider\.Client\.prototype\.compareClientSecret = [^]*?\n}\n/, `${compare}\n`)
writeFileSync(`${directory}/${name}.mjs`, text)
JS
}
variant clear row.client_secret ''
# shellcheck disable=SC2016	# JavaScript
variant bcrypt nobodys 'provider.Client.prototype.compareClientSecret = async function (secret) {
  return await ask("bcrypt", "SELECT FROM bench.client WHERE client_id = $1::uuid AND public.crypt($2, bcrypt) = bcrypt", this.clientId, secret) !== undefined
}'
# shellcheck disable=SC2016	# JavaScript
variant pbkdf2 nobodys 'const { pbkdf2, timingSafeEqual } = await import("node:crypto")
provider.Client.prototype.compareClientSecret = async function (secret) {
  const { pbkdf2: stored } = await ask("pbkdf2", "SELECT pbkdf2 FROM bench.client WHERE client_id = $1::uuid", this.clientId)
  const hash = await new Promise((resolve, reject) => pbkdf2(secret, this.clientId, 25000, 32, "sha256", (error, key) => error ? reject(error) : resolve(key)))
  return timingSafeEqual(hash, Buffer.from(stored, "hex"))
}'
crypt_schema=$(socket_psql "$work" postgres -d test -At -c "SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'pgcrypto'")
sed -i "s/public\.crypt/$crypt_schema.crypt/" "$provider/bcrypt.mjs"
give "$provider"

# --- the servers ------------------------------------------------------------------

declare -A pids=() ports=()
end_all() {
	local rc=$? pid
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || :; done
	[ "$rc" = 0 ] || failed=1	# which keeps the logs
	end_test_server
}
trap end_all EXIT
# Starts kind $1 from directory $2, file $3. pids has the process of node itself.
start_kind() {
	local user
	user=$(server_user)
	ports[$1]=$(free_port $((24000 + ${#pids[@]} * 100)))
	(cd "$2" && exec setpriv --reuid="$user" --regid="$(id -gn "$user")" --clear-groups env HOME="$work/home" \
		NODE_ENV=production PGUSER=test_service PORT="${ports[$1]}" timeout 1200 node "$3" >"$work/$1.log" 2>&1) &
	for ((try = 0; try < 200; try++)); do
		! grep -q http:// "$work/$1.log" 2>/dev/null || break
		sleep 0.1
	done
	pids[$1]=$(pgrep -f "^node $3\$" -n -u "$user" || die "$1 did not start, see $work/$1.log")
}
start_kind mogocred "$provider" server.mjs
for kind in clear pbkdf2 bcrypt; do start_kind "$kind" "$provider" "$kind.mjs"; done
cp "$service/server.mjs" "$service/token-service.mjs"
start_kind service "$service" token-service.mjs

cat >"$work/home/ask.lua" <<'LUA'
local basic = {}
for line in io.lines(os.getenv("BASIC")) do basic[#basic + 1] = line end
math.randomseed(os.time())
request = function()
	return wrk.format("POST", os.getenv("TARGET"), {
		["Authorization"] = "Basic " .. basic[math.random(#basic)],
		["Content-Type"] = "application/x-www-form-urlencoded"
	}, "grant_type=client_credentials&scope=read")
end
done = function(summary, latency)
	io.write(string.format("%d %d %.2f %.2f %.3f\n", summary.requests,
		summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.duration / 1e6))
end
LUA
give "$work/home"

# CPU time in clock ticks of node $1, and of the server with all its processes, ended ones too.
cpu() {
	{ cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v node="$1" -v postmaster="$(head -n 1 "$work/data/postmaster.pid")" '
		{
			pid = $1
			sub(/^.*\) /, "")	# a name may have spaces in it
			if (pid == node || pid == postmaster || $2 == postmaster) total += $12 + $13
			if (pid == postmaster) total += $14 + $15
		}
		END {print total}'
}

# One measurement of kind $1: tokens a second, tokens a CPU second, p50 and p99 in ms.
measure() {
	local before after path=/token requests errors p50 p99 took
	[ "$1" != service ] || path=/api/v1/oauth2/token
	before=$(cpu "${pids[$1]}")
	read -r requests errors p50 p99 took < <(BASIC=$work/home/basic TARGET=$path \
		wrk -t1 -c$connections -d"${2:-$each}" -s "$work/home/ask.lua" "http://127.0.0.1:${ports[$1]}" | tail -n 1)
	after=$(cpu "${pids[$1]}")
	[ "$errors" = 0 ] || die "$1: $errors of $requests requests failed"
	awk -v n="$requests" -v t="$took" -v cpu="$((after - before))" -v tick="$(getconf CLK_TCK)" -v p50="$p50" -v p99="$p99" \
		'BEGIN {printf "%.1f %.1f %s %s\n", n / t, n / (cpu / tick), p50, p99}'
}

for kind in "${kinds[@]}"; do measure "$kind" 2 >/dev/null; done
for ((round = 1; round <= rounds; round++)); do
	for kind in "${kinds[@]}"; do
		measure "$kind" >>"$work/$kind.rounds"
		say "$round/$rounds $kind: $(tail -n 1 "$work/$kind.rounds")" >&2
	done
done

# The median of column $2 of kind $1.
median() { cut -d' ' -f"$2" "$work/$1.rounds" | sort -n | awk '{v[NR] = $1} END {print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2}'; }
say "$("$bindir/postgres" --version), Node.js $(node --version), oidc-provider $(node -p "require('$provider/node_modules/oidc-provider/package.json').version"), $(wrk -v 2>&1 | head -n 1 | cut -d' ' -f1,2)"
say "$(awk -F': *' '/^model name/ {print $2; exit}' /proc/cpuinfo), $(nproc) cores; load $(cut -d' ' -f1-3 /proc/loadavg)"
say "$rounds rounds by turns, $each s each, $connections connections, $clients clients; medians"
printf '%-38s %10s %12s %8s %8s %8s\n' what tokens/s tokens/cpu-s 'p50 ms' 'p99 ms' mogocred
ours=$(median mogocred 2)
for kind in "${kinds[@]}"; do
	printf '%-38s %10.1f %12.1f %8.1f %8.1f %8s\n' "${names[$kind]}" "$(median "$kind" 1)" "$(median "$kind" 2)" \
		"$(median "$kind" 3)" "$(median "$kind" 4)" "$(awk -v a="$ours" -v b="$(median "$kind" 2)" 'BEGIN {printf "%.2f", a / b}')"
done
