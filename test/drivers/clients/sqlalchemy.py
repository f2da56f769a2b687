import sqlalchemy
from conversation import converse
from snippet import add, authenticate, revoke
from sqlalchemy import create_engine, text

engine = create_engine("postgresql://", hide_parameters=True)  # as PG* says


def error_of(engine, secret):
    try:
        with engine.connect() as db:
            db.execute(text("SELECT 1/0, CAST(:secret AS text)"), {"secret": secret})
    except sqlalchemy.exc.DBAPIError as error:
        return str(error)


def traps(client_id, secret, secret_id):
    with engine.connect() as db:
        db.execute(text("SELECT mogo.mogo_revoke_secret(:id)"), {"id": secret_id})
    yield authenticate(engine, client_id, secret) is not None, "revoked in connect(): still good"
    yield secret in error_of(create_engine("postgresql://"), secret), "errors have the secret"
    yield secret not in error_of(engine, secret), "not so with hide_parameters"
    yield "id" not in text("SELECT :id::uuid").compile().params, ":id::uuid is not read as a parameter"


converse(sqlalchemy.__version__, lambda *pair: authenticate(engine, *pair), lambda *new: add(engine, *new),
         lambda secret_id: revoke(engine, secret_id), lambda error: error.orig.pgcode, traps)
