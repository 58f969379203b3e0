{#
  The day of a moment in the time zone of a row of int_zones (its alias), by our own offsets: `at time zone` with a name would ask the
  server's copy of the time zone database, which may be older (decision 0018). In UTC where the left join found no such row.
  custom_events/queries/zones.py has the same.
#}
{% macro local_day(moment, zones) -%}
    {{ return(adapter.dispatch('local_day', 'custom_events')(moment, zones)) }}
{%- endmacro %}

{% macro default__local_day(moment, zones) -%}
    ({{ moment }} at time zone coalesce({{ zones }}.offsets[width_bucket({{ moment }}, {{ zones }}.starts)], interval '0'))::date
{%- endmacro %}

{#- DuckDB has no width_bucket: the offsets that began before the moment are counted. -#}
{% macro duckdb__local_day(moment, zones) -%}
    cast(
        ({{ moment }} at time zone 'UTC')
        + coalesce({{ zones }}.offsets[len(list_filter({{ zones }}.starts, lambda start_at: start_at <= {{ moment }}))], interval 0 second)
        as date
    )
{%- endmacro %}
