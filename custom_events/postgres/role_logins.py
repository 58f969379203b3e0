"""A login for each program: its role with a password, and what is its own (Dagster's schema, dbt's)."""

import secrets as randomness
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from custom_events.errors import NeedsAction
from custom_events.postgres import role_rights, roles
from custom_events.settings import variable_of
from custom_events.tables.base import DAGSTER, REPORTING

PASSWORD_BYTES: Final = 32  # random ones


class Program(StrEnum):
    """Who logs in. Migrations and the command line stay with the login that owns the tables."""

    RECEIVER = "receiver"
    PIPELINE = "pipeline"
    CONSOLE = "console"
    REPORTING = "reporting"

    @property
    def role(self) -> str:
        """Its role, which is what it logs in as."""
        return f"custom_events_{self}"

    @property
    def setting(self) -> str:
        """The variable in which `custom-events up` expects its address."""
        return variable_of(f"{self}_database_url")


# Schemas that a program makes and changes by itself, and who reads there.
_OWN_SCHEMAS: Final = {
    Program.PIPELINE: (DAGSTER, (role_rights.CONSOLE,)),
    Program.REPORTING: (REPORTING, (role_rights.CONSOLE, role_rights.PIPELINE)),
}
# Its attributes are looked at and not set: to say NOSUPERUSER takes a superuser, which nobody is on a hosted server.
_LITTLE: Final = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}'
        AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)) THEN
        RAISE EXCEPTION 'the role {role} may more than a program needs (SUPERUSER, CREATEDB, CREATEROLE, REPLICATION or BYPASSRLS)'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$
"""
# All that stands in a schema gets its new owner; sequences of columns follow their tables.
_HAND_OVER: Final = """
DO $$
DECLARE
    relation REGCLASS;
BEGIN
    FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO {role}', relation);
    END LOOP;
END $$
"""


def statements(program: Program, verifier: str, database: str) -> list[str]:
    """What gives a program its login: SQL for whoever may make roles, after `custom-events migrate`. `verifier` stands for the password
    (SCRAM-SHA-256), `database` is the quoted name of the database."""
    role = program.role
    steps = [
        _LITTLE.format(role=role).strip(),
        f"ALTER ROLE {role} LOGIN PASSWORD '{verifier}'",
        f"GRANT CONNECT ON DATABASE {database} TO {role}",
    ]
    if program in _OWN_SCHEMAS:
        schema, readers = _OWN_SCHEMAS[program]
        listed = ", ".join(readers)
        steps += [
            f"CREATE SCHEMA IF NOT EXISTS {schema}",
            f"ALTER SCHEMA {schema} OWNER TO {role}",
            _HAND_OVER.format(schema=schema, role=role).strip(),
            f"GRANT USAGE ON SCHEMA {schema} TO {listed}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {listed}",
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {role} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {listed}",
        ]
    return steps


def script(connection: sa.Connection, program: Program, password: str) -> list[str]:
    """All statements from nothing to the login, the rights on our tables included; they can be run again."""
    return [
        roles.creation(program.role),
        *role_rights.grants(program.role),
        *statements(program, _verifier(connection, program, password), _database(connection)),
    ]


def make(connection: sa.Connection, programs: Sequence[Program]) -> dict[Program, str]:
    """Make logins with new passwords, in the caller's transaction; the address of each. A login that there is gets a new password.

    Raises NeedsAction where our own login may not.
    """
    addresses: dict[Program, str] = {}
    try:
        roles.ensure(connection)
        for program in programs:
            password = randomness.token_urlsafe(PASSWORD_BYTES)
            roles.become(connection, program.role)
            for statement in statements(program, _verifier(connection, program, password), _database(connection)):
                connection.execution_options(no_parameters=True).exec_driver_sql(statement)
            addresses[program] = address(connection.engine.url, program, password)
    except ProgrammingError as error:
        raise NeedsAction(
            f"Our login may not make these roles ({str(error.orig).strip()}); nothing has changed. Give `custom-events roles --sql` to "
            "somebody who may."
        ) from error
    return addresses


def address(url: sa.URL, program: Program, password: str) -> str:
    """Our own address with the program's login in it."""
    own_url = url.set(drivername="postgresql", username=program.role, password=password)
    return own_url.render_as_string(hide_password=False)


def _verifier(connection: sa.Connection, program: Program, password: str) -> str:
    """What PostgreSQL keeps of a password, so that the password itself stands in no statement and no log of it."""
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  (a connection that is open has one)
    verifier: bytes = driver.pgconn.encrypt_password(password.encode(), program.role.encode(), b"scram-sha-256")
    return verifier.decode()


def _database(connection: sa.Connection) -> str:
    name: str = connection.execute(sa.text("SELECT quote_ident(current_database())")).scalar_one()
    return name
