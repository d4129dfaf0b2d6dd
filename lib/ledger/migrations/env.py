"""Alembic's entry: runs the versions on the connection that `migrate` hands over."""

from alembic import context

from lib.ledger.tables import Table

for table in Table.metadata.tables.values():
    for index in table.indexes:  # see `where` in `tables.py`
        index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True)
context.run_migrations()
