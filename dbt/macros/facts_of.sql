{#- The parts of commerce events' facts that reports read, as a lateral join named facts: utm and clicks. The document is read once a row. -#}
{% macro facts_of(events) -%}
    {{ return(adapter.dispatch('facts_of', 'custom_events')(events)) }}
{%- endmacro %}

{% macro default__facts_of(events) -%}
    cross join lateral json_to_record({{ events }}.facts) as facts (utm json, clicks json)
{%- endmacro %}

{% macro duckdb__facts_of(events) -%}
    cross join lateral (
        select cast({{ events }}.facts as json) -> 'utm' as utm, cast({{ events }}.facts as json) -> 'clicks' as clicks
    ) as facts
{%- endmacro %}
