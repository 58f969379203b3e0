{#- The parts of commerce events' facts that reports read, as a lateral join named facts: utm and clicks. The document is read once a row. -#}
{% macro facts_of(events) -%}
    cross join lateral json_to_record({{ events }}.facts) as facts (utm json, clicks json)
{%- endmacro %}

{#- Whole seconds from one moment to another, by the clock of UTC. -#}
{% macro seconds_between(earlier, later) -%}
    floor(extract(epoch from {{ later }}) - extract(epoch from {{ earlier }}))::bigint
{%- endmacro %}
