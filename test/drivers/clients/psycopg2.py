import psycopg2
from conversation import converse
from snippet import add, authenticate, revoke

db = psycopg2.connect("")  # as PG* says


def traps(client_id, secret, secret_id):
    other = psycopg2.connect("")
    cursor = other.cursor()
    cursor.execute("SELECT mogo.mogo_revoke_secret(%s)", (secret_id,))
    yield secret_id in cursor.query.decode(), "the values are in the text"
    other.close()
    yield authenticate(db, client_id, secret) is not None, "revoked without commit: good for ever"


converse(psycopg2.__version__.split()[0], lambda *pair: authenticate(db, *pair), lambda *new: add(db, *new),
         lambda secret_id: revoke(db, secret_id), lambda error: error.pgcode, traps)
