"""What the numbered migrations share: each has its statements in the SQL file beside it."""

from pathlib import Path

from alembic import op


def run_beside(migration: str) -> None:
    """Run the SQL file that lies beside a migration and has its name."""
    ddl = Path(migration).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(ddl.replace("%", "%%"))
