{{ config(materialized='kept_table', key=['day'], indexes=[{'columns': ['day'], 'unique': true}]) }}

with days as (
    select day from {{ days("date '2000-01-01'", "date '2039-12-31'") }} as every_day
),

final as (
    select
        day,
        extract(year from day)::integer as year,
        extract(quarter from day)::integer as quarter,
        extract(month from day)::integer as month,
        extract(day from day)::integer as day_of_month,
        extract(isoyear from day)::integer as iso_year,
        extract(week from day)::integer as iso_week,
        extract(isodow from day)::integer as iso_day_of_week,
        date_trunc('month', day)::date as month_start,
        date_trunc('week', day)::date as week_start
    from days
)

select * from final

{% call changed_keys() %}
    -- days stay as they are
    select day from {{ this }} where false
{% endcall %}
