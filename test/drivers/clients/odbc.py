import json
import os

import pyodbc
from conversation import converse
from snippet import add, authenticate, revoke


def connect(more="", **how):
    server = "Driver=PostgreSQL Unicode;Server={PGHOST};Port={PGPORT};Database={PGDATABASE};UID={PGUSER};PWD={PGPASSWORD};"
    return pyodbc.connect(server.format_map(os.environ) + more, **how)


db = connect("BoolsAsChar=0", autocommit=True)


def mapping(row):
    return row and dict(zip([column[0] for column in row.cursor_description], row))


def traps(client_id, secret, secret_id):
    other = connect()
    verify = "SELECT mogo.mogo_verify(?, ?)"
    wrong = other.execute(verify, client_id, "wrong").fetchone()[0]
    yield wrong == "0", "a wrong secret is '0'"
    yield bool(wrong), "and '0' is true"
    yield str(db.execute("SELECT ?::uuid", client_id).fetchone()[0]) == client_id.upper(), "a uuid in upper case"
    yield db.execute(verify, client_id, "wrong").fetchone()[0] is False, "not so with BoolsAsChar=0"
    other.execute("SELECT mogo.mogo_revoke_secret(?::uuid)", secret_id)
    other.close()
    yield authenticate(db, client_id, secret) is not None, "revoked without commit: good for ever"


version = f"{pyodbc.version} / {db.getinfo(pyodbc.SQL_DRIVER_VER)}"
converse(version, lambda *pair: mapping(authenticate(db, *pair)),
         lambda name, scopes: mapping(add(db, name, json.dumps(scopes))),
         lambda secret_id: revoke(db, secret_id), lambda error: error.args[0], traps)
