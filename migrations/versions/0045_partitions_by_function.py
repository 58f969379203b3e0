"""Partitions are made and dropped by functions of the owner: a login that only writes rows may have them kept.

Revision ID: 0045
Revises: 0044
"""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

# Each checks what it is given, since whoever may call it need not own anything: the table is one of ours and partitioned, the name of the
# partition begins with the table's.
CHECKED = """
CREATE FUNCTION app.partitioned_table(of_schema TEXT, of_table TEXT, partition TEXT) RETURNS REGCLASS
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent REGCLASS := to_regclass(format('%I.%I', of_schema, of_table));
BEGIN
    IF of_schema NOT IN ('app', 'landing') OR NOT EXISTS (SELECT FROM pg_class WHERE oid = parent AND relkind = 'p')
        OR NOT starts_with(partition, of_table || '_') THEN
        RAISE EXCEPTION '%.% is no partition of ours', of_schema, partition USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN parent;
END
$$;
"""
# Made beside and attached: ATTACH locks out only writers of DEFAULT, CREATE ... PARTITION OF would everybody.
MAKE = """
CREATE FUNCTION app.make_partition(
    of_schema TEXT, of_table TEXT, partition TEXT, range_begin TEXT, range_end TEXT, toast_target INTEGER, filled_percent INTEGER
) RETURNS BIGINT LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent REGCLASS := app.partitioned_table(of_schema, of_table, partition);
    by_column TEXT;
    written TEXT;
    moved BIGINT;
BEGIN
    SELECT a.attname INTO by_column FROM pg_partitioned_table p
    JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] WHERE p.partrelid = parent;
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO written FROM pg_attribute
    WHERE attrelid = parent AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    EXECUTE format(
        'CREATE TABLE %I.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING INDEXES INCLUDING STORAGE)',
        of_schema, partition, parent
    );
    IF toast_target IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %I.%I SET (toast_tuple_target = %s)', of_schema, partition, toast_target);
    END IF;
    IF filled_percent IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %I.%I SET (fillfactor = %s)', of_schema, partition, filled_percent);
    END IF;
    EXECUTE format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE', of_schema, of_table || '_default');
    EXECUTE format(
        'WITH moved AS (DELETE FROM %1$I.%2$I WHERE %3$I >= %4$L AND %3$I < %5$L RETURNING %6$s) INSERT INTO %1$I.%7$I (%6$s) SELECT %6$s FROM moved',
        of_schema, of_table || '_default', by_column, range_begin, range_end, written, partition
    );
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXECUTE format(
        'ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)', parent, of_schema, partition, range_begin, range_end
    );
    RETURN moved;
END
$$;
"""
# Never the DEFAULT partition, or a part of the ledger. Rows that go with a partition are taken from the tallies,
# as no trigger sees them.
DROP = """
CREATE FUNCTION app.drop_partition(of_schema TEXT, of_table TEXT, partition TEXT, tallied BOOLEAN) RETURNS VOID
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent REGCLASS := app.partitioned_table(of_schema, of_table, partition);
    bound TEXT;
BEGIN
    SELECT pg_get_expr(c.relpartbound, c.oid) INTO bound FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = parent AND c.relname = partition;
    IF of_table = 'conversion_uploads' OR coalesce(bound, 'DEFAULT') = 'DEFAULT' THEN
        RAISE EXCEPTION '%.% is not to be dropped', of_schema, partition USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF tallied THEN
        EXECUTE format('LOCK TABLE %I.%I IN SHARE MODE', of_schema, partition);
        INSERT INTO app.tally_changes SELECT what, week, subject, kind, state, reason, -change
        FROM app.count_tallies(of_table, to_regclass(format('%I.%I', of_schema, partition)));
    END IF;
    EXECUTE format('DROP TABLE %I.%I', of_schema, partition);
END
$$;
"""
ANALYSE = """
CREATE FUNCTION app.analyze_partitioned(of_schema TEXT, of_table TEXT) RETURNS VOID
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ANALYZE %s', app.partitioned_table(of_schema, of_table, of_table || '_'));
END
$$;
"""
NOT_PUBLIC = """
REVOKE EXECUTE ON FUNCTION app.make_partition(TEXT, TEXT, TEXT, TEXT, TEXT, INTEGER, INTEGER),
    app.drop_partition(TEXT, TEXT, TEXT, BOOLEAN), app.analyze_partitioned(TEXT, TEXT) FROM PUBLIC;
"""
DOWNGRADE = """
DROP FUNCTION app.make_partition(TEXT, TEXT, TEXT, TEXT, TEXT, INTEGER, INTEGER), app.drop_partition(TEXT, TEXT, TEXT, BOOLEAN),
    app.analyze_partitioned(TEXT, TEXT), app.partitioned_table(TEXT, TEXT, TEXT);
"""


def upgrade() -> None:
    """Functions alone: what runs beside goes on as it did."""
    connection = op.get_bind().execution_options(no_parameters=True)
    for statement in (CHECKED, MAKE, DROP, ANALYSE, NOT_PUBLIC):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """An older version makes partitions by itself."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(DOWNGRADE)
