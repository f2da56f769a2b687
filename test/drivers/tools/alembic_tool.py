"""doc/migrations.md: what Alembic's autogenerate wants to change."""

import os
import sys

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Integer, MetaData, Table, create_engine

# The block is a function, whose file has the name of a package.
block = {}
with open(f"{os.environ['BLOCKS']}/alembic.py/snippet.py", encoding="utf-8") as file:
    exec(file.read(), block)
models = MetaData()
Table("thing", models, Column("id", Integer, primary_key=True))


def check(what, database, wanted, **options):
    with create_engine(f"postgresql:///{database}").connect() as db:
        changes = compare_metadata(MigrationContext.configure(db, opts=options), models)
    dropped = [change[1].name for change in changes if change[0] == "remove_table"]
    ok = ("mogo_client" in dropped) if wanted else not changes
    print(f"ok {what}" if ok else f"FAILED {what}: {changes}")


if not sys.warnoptions:
    import warnings
    warnings.simplefilter("ignore")  # it does not know the type of a column
check("in a schema of its own: no change", "own", False)
check("the same with include_schemas: it drops", "own", True, include_schemas=True)
check("and with the filter: no change", "own", False, include_schemas=True, include_name=block["include_name"])
check("in public: it drops", "in_public", True)
check("in public, with the filter: no change", "in_public", False, include_name=block["include_name"])
print("end")
