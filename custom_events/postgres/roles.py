"""Who may do what: a role for each program, none of which owns anything. `role_rights` has what each may.

The receiver gives up its login's rights for those of its role by itself; every program can be given a login of its own
(`role_logins`), which then is its role.
"""

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ProgrammingError

from custom_events.postgres import role_rights
from custom_events.postgres.role_rights import RECEIVER, ROLES

_CREATE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- another migration in the same cluster was faster
END $$
"""

# From PostgreSQL 16 on whoever makes a role may give it to others, themselves included, and is not it as long as they have not.
_BECOME = """
DO $$
DECLARE
    has_rights CONSTANT TEXT := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    IF NOT pg_has_role(current_user, '{role}', has_rights) THEN
        GRANT {role} TO CURRENT_USER;
    END IF;
END $$
"""

_DROP = """
DO $$
BEGIN
    DROP ROLE IF EXISTS {role};
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
    NULL; -- another database of the cluster uses it, or it is not ours to drop
END $$
"""

# What PostgreSQL gives to everybody, and nobody but the owner and dbt needs: temporary tables and large objects fill the disk.
_NO_TEMPORARY = """
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO custom_events_reporting', current_database());
END $$
"""
_NO_LARGE_OBJECTS = """
DO $$
DECLARE
    large_object REGPROCEDURE;
BEGIN
    FOR large_object IN SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
        AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_open', 'lo_put', 'lowrite', 'lo_import', 'lo_export')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', large_object);
    END LOOP;
END $$
"""


_STATE = f"""
SELECT current_user,
  EXISTS (SELECT FROM pg_roles WHERE rolname = '{RECEIVER}') AS there,
  coalesce((
    SELECT pg_has_role(current_user, oid, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
    FROM pg_roles WHERE rolname = '{RECEIVER}'), false) AS member,
  coalesce((SELECT has_table_privilege(r.oid, t.oid, 'INSERT')
            FROM pg_roles r, pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
            WHERE r.rolname = '{RECEIVER}' AND n.nspname = 'landing' AND t.relname = 'raw_events'), false) AS lands
"""


def problem(connection: sa.Connection) -> str | None:
    """Why the receiver cannot work under its role with this login, and what a person must run; None when it can."""
    login, there, member, lands = connection.execute(sa.text(_STATE)).one()
    name = postgresql.dialect().identifier_preparer.quote(login)
    if not there:
        reason = f"the role {RECEIVER} does not exist, and the login {login} may not make roles"
        statements = f"CREATE ROLE {RECEIVER} NOLOGIN; GRANT {RECEIVER} TO {name};"
    elif not member:
        reason = f"the login {login} is no member of the role {RECEIVER}"
        statements = f"GRANT {RECEIVER} TO {name};"
    elif not lands:
        return f"The role {RECEIVER} may not write landing.raw_events. Run `custom-events migrate` with the login that owns the tables."
    else:
        return None
    return (
        f"The receiver cannot land anything: {reason}. Have somebody who may make roles run: {statements} "
        "Then run `custom-events migrate` again. Where that cannot be had, set CUSTOM_EVENTS_RECEIVER_ROLE=false: "
        "the receiver then keeps all rights of its login."
    )


def ensure(connection: sa.Connection) -> bool:
    """Make the roles, give each its rights, take away what everybody has, and make us a member of the receiver's; as often as you like.

    False, with a warning in the log, when our login may not do one of these for the receiver; `problem` has the remedy. What it may not do
    for the others is a warning: it matters to who gives them a login, which says it again.
    """
    is_done = True
    for role in ROLES:
        steps = [("create", [creation(role)]), ("grant", list(role_rights.grants(role)))]
        if role == RECEIVER:
            steps.append(("become", [_BECOME.format(role=role)]))
        if not all(_try(connection, role, purpose, statements) for purpose, statements in steps) and role == RECEIVER:
            is_done = False
    for statement in (_NO_TEMPORARY, _NO_LARGE_OBJECTS):  # the latter is for a superuser: on a hosted server they stay
        _try(connection, "public", "take away", [statement])
    return is_done


def creation(role: str) -> str:
    """The statement that makes a role which may not log in, where it does not exist."""
    return _CREATE.format(role=role).strip()


def become(connection: sa.Connection, role: str) -> None:
    """Make our login a member of a role, so that it may give it what is ours. Raises sqlalchemy's ProgrammingError."""
    _run(connection, _BECOME.format(role=role))


def drop(connection: sa.Connection) -> None:
    """Remove the roles that no other database of the cluster needs."""
    for role in ROLES:
        _run(connection, _DROP.format(role=role))


def _try(connection: sa.Connection, role: str, purpose: str, statements: list[str]) -> bool:
    try:
        with connection.begin_nested():
            for statement in statements:
                _run(connection, statement)
    except ProgrammingError as error:
        reason = str(error.orig).strip()
        structlog.get_logger().warning("database_role", failed=purpose, role=role, reason=reason)
        return False
    return True


def _run(connection: sa.Connection, statement: str) -> None:
    connection.execution_options(no_parameters=True).exec_driver_sql(statement)
