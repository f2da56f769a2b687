import asyncio

import asyncpg
from conversation import converse
from snippet import add, authenticate, revoke

loop = asyncio.new_event_loop()
run = loop.run_until_complete
db = run(asyncpg.connect())  # as PG* says


def fails(sql, *values):
    try:
        run(db.fetch(sql, *values))
    except asyncpg.DataError as error:
        return "invalid input for query argument" in str(error)  # not the server's words
    return False


def traps(client_id, secret, secret_id):
    yield fails("SELECT * FROM mogo.mogo_authenticate($1::uuid, $2)", "no uuid", secret), "DataError for a text that is no UUID"
    yield fails("SELECT * FROM mogo.mogo_rotate_secret($1, $2)", client_id, "1 day"), "DataError for an interval as text"
    run(db.execute("SELECT mogo.mogo_rotate_secret($1, $2::text::interval)", client_id, "1 day"))


converse(asyncpg.__version__, lambda *pair: run(authenticate(db, *pair)), lambda *new: run(add(db, *new)),
         lambda secret_id: run(revoke(db, secret_id)), lambda error: error.sqlstate, traps)
