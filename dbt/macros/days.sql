{#- The days from one to another, both included, as a subquery with the column day. -#}
{% macro days(first, last) -%}
    {{ return(adapter.dispatch('days', 'custom_events')(first, last)) }}
{%- endmacro %}

{% macro default__days(first, last) -%}
    (select moment::date as day from generate_series({{ first }}::timestamp, {{ last }}::timestamp, interval '1 day') as moment)
{%- endmacro %}

{% macro duckdb__days(first, last) -%}
    (
        select cast(moment as date) as day
        from (select unnest(generate_series(cast({{ first }} as timestamp), cast({{ last }} as timestamp), interval '1 day')) as moment) as moments
    )
{%- endmacro %}
