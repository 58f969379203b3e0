{#
  On DuckDB: a view for each source table over its Parquet file (dbt_staging/parquet_export.py writes them). Intervals are kept there as
  microseconds. On other engines there is nothing to do.
#}
{% macro parquet_sources() %}
    {%- if execute and target.type == 'duckdb' -%}
        {%- set directory = env_var('CUSTOM_EVENTS_DBT_PARQUET') -%}
        {%- for source in graph.sources.values() -%}
            {%- do run_query('create schema if not exists ' ~ source.schema) -%}
            {%- set columns = [] -%}
            {%- for column in source.columns.values() -%}
                {%- do columns.append(('to_microseconds("' ~ column.name ~ '") as ' if column.data_type == 'interval' else '') ~ '"' ~ column.name ~ '"') -%}
            {%- endfor -%}
            {%- do run_query(
                'create or replace view ' ~ source.schema ~ '.' ~ source.name ~ ' as select ' ~ columns | join(', ')
                ~ " from read_parquet('" ~ directory ~ '/' ~ source.schema ~ '.' ~ source.name ~ ".parquet')"
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
