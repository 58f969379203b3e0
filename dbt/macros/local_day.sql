{#
  The day of a moment in the time zone of a row of int_zones (its alias), by our own offsets: `at time zone` with a name would ask the
  server's copy of the time zone database, which may be older (decision 0018). In UTC where the left join found no such row.
  custom_events/queries/zones.py has the same.
#}
{% macro local_day(moment, zones) -%}
    ({{ moment }} at time zone coalesce({{ zones }}.offsets[width_bucket({{ moment }}, {{ zones }}.starts)], interval '0'))::date
{%- endmacro %}
