{#- The days from one to another, both included, as a subquery with the column day. -#}
{% macro days(first, last) -%}
    (select moment::date as day from generate_series({{ first }}::timestamp, {{ last }}::timestamp, interval '1 day') as moment)
{%- endmacro %}
