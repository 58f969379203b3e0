{#
  Moments and days that are the same on every engine (docs/decisions/0051). A day in a zone comes from local_day() alone (decision 0018).
#}

{#- Whole seconds from one moment to another, as bigint, rounded down. Never the epoch of a difference: on DuckDB that counts the clock of the session. -#}
{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('seconds_between', 'custom_events')(earlier, later)) }}
{%- endmacro %}

{% macro default__seconds_between(earlier, later) -%}
    cast(floor(extract(epoch from {{ later }}) - extract(epoch from {{ earlier }})) as bigint)
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    (
        (epoch_us({{ later }}) - epoch_us({{ earlier }})) // 1000000
        - case when (epoch_us({{ later }}) - epoch_us({{ earlier }})) % 1000000 < 0 then 1 else 0 end
    )
{%- endmacro %}

{#- Monday of the ISO week of a day. -#}
{% macro week_start(day) -%}
    cast(date_trunc('week', {{ day }}) as date)
{%- endmacro %}

{#- First day of the month of a day. -#}
{% macro month_start(day) -%}
    cast(date_trunc('month', {{ day }}) as date)
{%- endmacro %}

{#- Number of the ISO week of a day (1 to 53), and the year that the week belongs to. -#}
{% macro iso_week(day) -%}
    cast(extract(week from {{ day }}) as integer)
{%- endmacro %}

{% macro iso_year(day) -%}
    cast(extract(isoyear from {{ day }}) as integer)
{%- endmacro %}

{#- Calendar months from the month of one day to that of another. -#}
{% macro months_between(earlier, later) -%}
    cast(
        (extract(year from {{ later }}) - extract(year from {{ earlier }})) * 12
        + extract(month from {{ later }}) - extract(month from {{ earlier }})
        as integer
    )
{%- endmacro %}
