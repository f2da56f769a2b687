"""mogocred through asyncpg. Prints "ok NAME" or "FAILED NAME: why" for each of the ten
things that every driver's test does (see ../README.md). Connects as PG* says."""

import asyncio
import base64
import json
from datetime import datetime, timezone

import asyncpg

NAME = "driver asyncpg"
EXPIRY = datetime(2035, 1, 1, tzinfo=timezone.utc)


def report(name, ok, got=None):
    print(f"ok {name}" if ok else f"FAILED {name}: {got!r}")


async def main():
    conn = await asyncpg.connect()
    print(f"# {asyncpg.__version__}")
    # asyncpg hands JSON over as text unless it is told otherwise, and keeps uuid,
    # text[] and timestamptz native.
    await conn.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)

    added = await conn.fetchrow("SELECT * FROM mogo_add_client($1, $2, $3, $4)",
                                NAME, EXPIRY, ["read", "write"], {"tier": 1})
    client_id, secret, secret_id = added["client_id"], added["client_secret"], added["secret_id"]
    report("add", added["client_name"] == NAME and client_id.version == 4 and secret_id.version == 4
           and len(secret) == 36 and added["expires_at"] == EXPIRY, "the row's types")

    file = await conn.fetchval("SELECT mogo_credentials_json($1, $2, $3)", NAME, client_id, secret)
    report("json", file == f'{{\n  "clientName": "{NAME}",\n  "clientId": "{client_id}",\n  "clientSecret": "{secret}"\n}}'
           and list(json.loads(file)) == ["clientName", "clientId", "clientSecret"], "the file")

    async def verify(*params, type_="text"):
        # asyncpg asks the server for the parameters' types: the cast chooses the form.
        return await conn.fetchval(f"SELECT mogo_verify($1::{type_}, $2)", *params)

    report("verify uuid", await verify(client_id, secret, type_="uuid") is True
           and await verify(client_id, "wrong", type_="uuid") is False)
    report("verify text", await verify(str(client_id), secret) is True and await verify("no-uuid", secret) is False
           and await conn.fetchval("SELECT mogo_verify($1, $2)", str(client_id), secret) is True)
    report("null", await verify(None, secret, type_="uuid") is False and await verify(str(client_id), None) is False)
    check = await conn.prepare("SELECT mogo_verify($1::uuid, $2)")
    report("prepared", [await check.fetchval(client_id, secret if i % 2 else "wrong") for i in range(10)]
           == [False, True] * 5)

    expected = (client_id, NAME, ["read", "write"], {"tier": 1}, secret_id, EXPIRY)
    columns = "client_id, client_name, scopes, metadata, secret_id, expires_at"
    authenticate = f"SELECT {columns} FROM mogo_authenticate($1::uuid, $2)"
    found = await conn.fetchrow(authenticate, client_id, secret)
    report("authenticate", found == expected and await conn.fetchrow(authenticate, client_id, "wrong") is None, found)

    def header(of_secret):
        return "Basic " + base64.b64encode(f"{client_id}:{of_secret}".encode()).decode()

    basic = f"SELECT {columns} FROM mogo_authenticate_basic($1)"
    found = await conn.fetchrow(basic, header(secret))
    report("basic", found == expected and await conn.fetchrow(basic, header("wrong")) is None, found)

    try:
        await conn.fetchrow("SELECT * FROM mogo_add_client($1)", NAME)
        report("sqlstate", False, "no error")
    except asyncpg.UniqueViolationError as error:
        report("sqlstate", error.sqlstate == "23505" and NAME in str(error), error.sqlstate)

    notice = asyncio.get_running_loop().create_future()
    await conn.add_listener("mogocred", lambda *args: notice.done() or notice.set_result(args))
    other = await asyncpg.connect()
    await other.execute("SELECT mogo_disable_client($1)", client_id)
    await other.close()
    _, _, channel, payload = await notice  # the runner ends a test that waits for too long
    report("listen", channel == "mogocred" and json.loads(payload)
           == {"action": "client_disabled", "clientId": str(client_id), "secretId": None}, payload)
    await conn.close()


asyncio.run(main())
