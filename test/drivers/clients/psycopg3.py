import psycopg
from conversation import converse
from snippet import add, authenticate, revoke

db = psycopg.connect(autocommit=True)  # as PG* says


def traps(client_id, secret, secret_id):
    other = psycopg.connect()
    other.execute("SELECT 1")
    with other.transaction():
        other.execute("SELECT mogo.mogo_revoke_secret(%s)", (secret_id,))
    yield authenticate(db, client_id, secret) is not None, "without autocommit, after transaction(): still good"
    other.close()
    yield authenticate(db, client_id, secret) is not None, "and good for ever after close()"
    other = psycopg.connect()
    authenticate(other, client_id, secret)
    yield other.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS, "a check leaves a transaction open"
    other.close()


converse(psycopg.__version__, lambda *pair: authenticate(db, *pair), lambda *new: add(db, *new),
         lambda secret_id: revoke(db, secret_id), lambda error: error.sqlstate, traps)
