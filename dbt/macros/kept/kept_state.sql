{#- The tables of kept_table itself: how far each model has read, and the keys of rows that left one. -#}
{% macro make_kept_state() -%}
    {%- if execute and target.type == 'postgres' -%}
        select pg_advisory_xact_lock(hashtextextended('kept_table ' || '{{ target.schema }}', 0));
        create table if not exists {{ target.schema }}.kept_marks (
            model text primary key,
            definition text not null,
            server text not null,
            mark bigint not null,
            built_at timestamptz not null,
            was_whole boolean not null,
            rows_new bigint not null,
            rows_gone bigint not null,
            seconds numeric(12, 3) not null
        );
        create table if not exists {{ target.schema }}.kept_departures (
            model text not null,
            what text not null,
            site_id bigint,
            key text,
            left_at timestamptz not null
        );
        create index if not exists kept_departures_model on {{ target.schema }}.kept_departures (model, what);
        delete from {{ target.schema }}.kept_departures where left_at < now() - interval '{{ var('kept_departures_days') }} days';
    {%- endif -%}
{%- endmacro %}

{#- Where a model stands: whether what was built last was built by the same text and can be followed up, and since how many transactions.
    A row is new where a transaction wrote it that had not ended when the last build began to read: exact, whatever clocks say, also for
    transactions that committed late. Numbers of transactions hold within one server and for two thousand million of them. -#}
{% macro kept_state(relation, definition) -%}
    {%- set rows = run_query(
        "select marks.definition = '" ~ definition ~ "' and marks.server = now.server and marks.mark <= now.current"
        ~ " and now.current - marks.mark < 1500000000"
        ~ " and marks.built_at > now() - interval '" ~ (var('kept_departures_days') - 1) ~ " days' as is_current,"
        ~ " now.current - marks.mark as age, marks.mark as read_until, now.current as current, now.oldest as mark, now.server as server,"
        ~ " not exists (select from " ~ relation ~ ") as is_empty,"
        ~ " (select greatest(reltuples, 0)::bigint from pg_class where oid = '" ~ relation ~ "'::regclass) as known_rows"
        ~ " from (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest, pg_current_xact_id()::text::bigint as current,"
        ~ " (select system_identifier::text from pg_control_system()) as server) as now"
        ~ " left join " ~ relation.schema ~ ".kept_marks as marks on marks.model = '" ~ relation.identifier ~ "'"
    ).rows -%}
    {{- return({
        'is_current': rows[0]['is_current'] or false, 'age': rows[0]['age'], 'read_until': rows[0]['read_until'],
        'current': rows[0]['current'], 'mark': rows[0]['mark'],
        'server': rows[0]['server'], 'is_empty': rows[0]['is_empty'], 'known_rows': rows[0]['known_rows'],
    }) -}}
{%- endmacro %}

{% macro kept_finish(relation, definition, state, is_keyed, rows_new, rows_gone, began) -%}
    {%- set seconds = (modules.datetime.datetime.now() - began).total_seconds() -%}
    {%- do run_query(
        "insert into " ~ relation.schema ~ ".kept_marks as m values ('" ~ relation.identifier ~ "', '" ~ definition ~ "', '" ~ state.server
        ~ "', " ~ state.mark ~ ", now(), " ~ (not is_keyed) ~ ", " ~ rows_new ~ ", " ~ rows_gone ~ ", " ~ seconds ~ ")"
        ~ " on conflict (model) do update set definition = excluded.definition, server = excluded.server, mark = excluded.mark,"
        ~ " built_at = excluded.built_at, was_whole = excluded.was_whole, rows_new = excluded.rows_new, rows_gone = excluded.rows_gone,"
        ~ " seconds = excluded.seconds"
    ) -%}
    {%- if rows_new + rows_gone > 0 and (rows_new + rows_gone) * 10 > state.known_rows -%}
        {%- do run_query("analyze " ~ relation) -%}
    {%- endif -%}
{%- endmacro %}
