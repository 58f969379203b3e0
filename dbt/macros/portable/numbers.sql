{#
  Exact arithmetic that gives the same figures on every engine (docs/decisions/0051). Arguments are SQL, amounts have at most six decimals.
  Nothing here passes through a double, and `numeric` never stands without its precision: on DuckDB that would be numeric(18,3).
#}

{#- a / b rounded half away from zero to `scale` decimals, as numeric(38, scale); null where b is 0. -#}
{% macro divide(numerator, denominator, scale=6) -%}
    {{ return(adapter.dispatch('divide', 'custom_events')(numerator, denominator, scale)) }}
{%- endmacro %}

{% macro default__divide(numerator, denominator, scale) -%}
    {%- set n = 'cast(' ~ numerator ~ ' as numeric(38, 6))' -%}
    {%- set d = 'cast(' ~ denominator ~ ' as numeric(38, 6))' -%}
    cast(
        sign({{ n }}) * sign({{ d }}) * div(2 * abs({{ n }}) * {{ 10 ** scale }} + abs({{ d }}), nullif(2 * abs({{ d }}), 0))
        * {{ unit_of(scale) }}
        as numeric(38, {{ scale }})
    )
{%- endmacro %}

{% macro duckdb__divide(numerator, denominator, scale) -%}
    {%- set n = 'cast(cast(' ~ numerator ~ ' as decimal(32, 6)) * 1000000 as hugeint)' -%}
    {%- set d = 'cast(cast(' ~ denominator ~ ' as decimal(32, 6)) * 1000000 as hugeint)' -%}
    (
        cast(
            sign({{ n }}) * sign({{ d }}) * ((2 * abs({{ n }}) * {{ 10 ** scale }} + abs({{ d }})) // nullif(2 * abs({{ d }}), 0))
            as decimal({{ 37 - scale }}, 0)
        )
        * cast({{ unit_of(scale) }} as decimal({{ scale + 1 }}, {{ scale }}))
    )
{%- endmacro %}

{#- The smallest amount of that many decimals, written out. -#}
{% macro unit_of(scale) -%}
    {{ '0.' ~ '0' * (scale - 1) ~ '1' if scale else '1' }}
{%- endmacro %}

{#- Rounded half away from zero to `scale` decimals, as numeric(38, scale). -#}
{% macro round_half_away(amount, scale=2) -%}
    cast(cast({{ amount }} as numeric(38, 6)) as numeric(38, {{ scale }}))
{%- endmacro %}

{#- The mean of an amount over the rows of a group that have one, rounded as `divide` does; null where none has. -#}
{% macro average(amount, scale=6) -%}
    {{ divide('sum(' ~ amount ~ ')', 'count(' ~ amount ~ ')', scale) }}
{%- endmacro %}

{#- A sum of counts as bigint: on Postgres it would be numeric, on DuckDB a hugeint, which Parquet keeps as a double. -#}
{% macro sum_of_counts(counted) -%}
    cast(coalesce(sum({{ counted }}), 0) as bigint)
{%- endmacro %}

{#-
  The share of an amount that falls to `part` of `whole` (whole numbers, whole > 0), cut to `decimals`, as numeric(20, 6). What is cut off is for
  the caller to give to one of the parts, so that they add up to the amount.
-#}
{% macro share_of(amount, part, whole, decimals=2) -%}
    {{ return(adapter.dispatch('share_of', 'custom_events')(amount, part, whole, decimals)) }}
{%- endmacro %}

{% macro default__share_of(amount, part, whole, decimals) -%}
    cast(div(cast({{ amount }} as numeric(20, 6)) * {{ 10 ** decimals }} * {{ part }}, {{ whole }}) * {{ unit_of(decimals) }} as numeric(20, 6))
{%- endmacro %}

{% macro duckdb__share_of(amount, part, whole, decimals) -%}
    cast(
        cast(
            cast(cast({{ amount }} as decimal(26, 6)) * 1000000 as hugeint) * cast({{ part }} as hugeint)
            // (cast({{ whole }} as hugeint) * {{ 10 ** (6 - decimals) }})
            as decimal(26, 0)
        )
        * cast({{ unit_of(decimals) }} as decimal({{ decimals + 1 }}, {{ decimals }}))
        as decimal(20, 6)
    )
{%- endmacro %}
