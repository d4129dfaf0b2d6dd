"""Schema versions. Each change of `tables.py` that reaches a release comes with a file in `versions/`."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

HEAD = "0019"
"""The newest version; checked by a test against the files, so that a start needs no alembic when nothing changed."""


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Bring the schema to `to`. Several processes may do so at once: one works, the others wait for it.

    Raises `SQLAlchemyError` when the database cannot be reached or written to.
    """
    if to == "head":
        with engine.connect() as connection:
            if _current(connection) == HEAD:
                return
        if engine.dialect.name == "sqlite" and _made_whole(engine):
            return
    # Imported late: a tenth of a second that a start on a new or up-to-date store does not pay.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7254001)"))
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def _made_whole(engine: Engine) -> bool:
    """Make the newest schema in one piece, if the file is empty. Not so if another process was sooner."""
    from lib.ledger.migrations import whole  # noqa: PLC0415 - stands on this module

    with engine.begin() as connection:
        if inspect(connection).get_table_names():
            return False
        whole.make(connection)
    return True


def newest() -> str | None:
    """The version that the files in `versions/` end with."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory(str(Path(__file__).parent)).get_current_head()


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
