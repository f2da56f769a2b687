"""mogocred through psycopg 3. Prints "ok NAME" or "FAILED NAME: why" for each of the
ten things that every driver's test does (see ../README.md). Connects as PG* says."""

import base64
import json
from datetime import datetime, timezone
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

NAME = "driver psycopg"
EXPIRY = datetime(2035, 1, 1, tzinfo=timezone.utc)
conn = psycopg.connect("", autocommit=True)
print(f"# {psycopg.__version__}")


def report(name, ok, got=None):
    print(f"ok {name}" if ok else f"FAILED {name}: {got!r}")


def value(sql, *params, **how):
    return conn.execute(sql, params, **how).fetchone()[0]


def row(sql, *params):
    return conn.execute(sql, params).fetchone()


added = row("SELECT client_name, client_id, client_secret, secret_id, issued_at, expires_at"
            " FROM mogo_add_client(%s, %s, %s, %s)", NAME, EXPIRY, ["read", "write"], Jsonb({"tier": 1}))
name, client_id, secret, secret_id, issued_at, expires_at = added
report("add", name == NAME and isinstance(client_id, UUID) and isinstance(secret_id, UUID)
       and len(secret) == 36 and expires_at == EXPIRY and issued_at.tzinfo is not None, "the row's types")

file = value("SELECT mogo_credentials_json(%s, %s, %s)::text", name, client_id, secret)
report("json", file == f'{{\n  "clientName": "{NAME}",\n  "clientId": "{client_id}",\n  "clientSecret": "{secret}"\n}}'
       and list(json.loads(file)) == ["clientName", "clientId", "clientSecret"], "the file")

VERIFY = "SELECT mogo_verify(%s, %s)"
report("verify uuid", value(VERIFY, client_id, secret) is True and value(VERIFY, client_id, "wrong") is False)
report("verify text", value(VERIFY, str(client_id), secret) is True and value(VERIFY, "no-uuid", secret) is False)
report("null", value(VERIFY, None, secret) is False and value(VERIFY, client_id, None) is False)
report("prepared", all(value(VERIFY, client_id, secret if i % 2 else "wrong", prepare=True) is bool(i % 2)
                       for i in range(10)))

expected = (client_id, NAME, ["read", "write"], {"tier": 1}, secret_id, EXPIRY)
COLUMNS = "client_id, client_name, scopes, metadata, secret_id, expires_at"
AUTHENTICATE = f"SELECT {COLUMNS} FROM mogo_authenticate(%s, %s)"
found = row(AUTHENTICATE, client_id, secret)
report("authenticate", found == expected and row(AUTHENTICATE, client_id, "wrong") is None, found)


def header(of_secret):
    return "Basic " + base64.b64encode(f"{client_id}:{of_secret}".encode()).decode()


BASIC = f"SELECT {COLUMNS} FROM mogo_authenticate_basic(%s)"
found = row(BASIC, header(secret))
report("basic", found == expected and row(BASIC, header("wrong")) is None, found)

try:
    row("SELECT * FROM mogo_add_client(%s)", NAME)
    report("sqlstate", False, "no error")
except psycopg.errors.UniqueViolation as error:
    report("sqlstate", error.sqlstate == "23505" and NAME in str(error), error.sqlstate)

conn.execute("LISTEN mogocred")
with psycopg.connect("", autocommit=True) as other:
    other.execute("SELECT mogo_disable_client(%s)", (client_id,))
notice = next(conn.notifies())  # the runner ends a test that waits for too long
report("listen", notice.channel == "mogocred" and json.loads(notice.payload)
       == {"action": "client_disabled", "clientId": str(client_id), "secretId": None}, notice)
