import os

import django
from django.conf import settings
from django.db import connection, transaction

settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"], "USER": os.environ["PGUSER"],
    "PASSWORD": os.environ["PGPASSWORD"], "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"]}})
django.setup()

from conversation import converse  # noqa: E402
from snippet import add, authenticate, revoke  # noqa: E402


def traps(client_id, secret, secret_id):
    connection.force_debug_cursor = True  # what DEBUG does
    authenticate(client_id, secret)
    connection.force_debug_cursor = False
    yield secret in str(connection.queries), "DEBUG keeps the secret"
    try:
        with transaction.atomic():  # what ATOMIC_REQUESTS does
            revoke(secret_id)
            raise RuntimeError
    except RuntimeError:
        pass
    yield authenticate(client_id, secret) is not None, "revoked in a request that fails: still good"


converse(django.__version__, authenticate, add, revoke, lambda error: error.__cause__.pgcode, traps)
