"""The one MetaData, its schemas and naming, and the shorthand columns that the tables share.

Three schemas are ours: `landing` (the receiver inserts, nothing else), `app` (all else that programs write). dbt owns
`reporting`, Dagster owns `dagster`. Every column has a comment: the schema page is generated from it.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

LANDING = "landing"
APP = "app"
REPORTING = "reporting"
DAGSTER = "dagster"

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Time = sa.DateTime(timezone=True)
Amount = sa.Numeric(20, 6)  # exact; six decimals keep factors and three-decimal currencies
Digest = sa.LargeBinary(16)  # first 128 bits of SHA-256


def written_columns(table: sa.Table) -> str:
    """The columns that a program may write, as SQL lists them: all but what PostgreSQL computes."""
    return ", ".join(column.name for column in table.columns if column.computed is None)


def identity() -> sa.Column[int]:
    """Surrogate key made by the database."""
    return sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True, comment="Surrogate key.")


def created_at() -> sa.Column[Any]:
    """When the row was made, by the database's clock."""
    return sa.Column("created_at", Time, server_default=sa.func.now(), nullable=False, comment="When the row was made.")


def updated_at() -> sa.Column[Any]:
    """When the row was changed last, by the program that changed it."""
    return sa.Column("updated_at", Time, server_default=sa.func.now(), nullable=False, comment="When it last changed.")


def site_id(*, primary_key: bool = False, foreign_key: bool = True) -> sa.Column[int]:
    """The site the row belongs to. Tables filled by the thousand a second leave the foreign key out (see decision 0005)."""
    constraint = [sa.ForeignKey("app.sites.id")] if foreign_key else []
    return sa.Column(
        "site_id", sa.BigInteger, *constraint, primary_key=primary_key, nullable=False, comment="The site."
    )


WORD = r"^[a-z][a-z0-9_]{0,39}$"  # as enums of ours have them


def one_of(column: str, words: Any, name: str | None = None) -> sa.CheckConstraint:
    """A check that `column` holds one of an enum's words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=name or f"{column}_known")


def a_word(column: str) -> sa.CheckConstraint:
    """A check that `column` holds a word of a list that grows without a migration: a folder in `platforms` or `destinations` adds one."""
    return sa.CheckConstraint(f"{column} ~ '{WORD}'", name=f"{column}_known")


Json = pg.JSONB  # where SQL filters on it or people edit it
JsonText = pg.JSON  # where SQL only carries it: writes 1.4 to 2 times faster (docs/reference/performance.md 1)
