{{ config(materialized='kept_table', key=['currency', 'day'], indexes=[{'columns': ['currency', 'day'], 'unique': true}], tells={'day': 'day'}) }}

-- A rate holds from its day until the next one's, at most so many days.
with rates as (
    select
        *,
        lead(day) over (partition by currency order by day) as next_day
    from {{ ref('stg_app__exchange_rates') }}
    where reporting_currency = {{ reporting_currency() }}
),

ends as (
    select
        *,
        least(day + {{ rate_days() }}, coalesce(next_day - 1, day + {{ rate_days() }})) as last_day
    from rates
),

final as (
    select
        ends.currency,
        days.day,
        ends.reporting_currency,
        ends.rate,
        ends.day as rate_day,
        ends.source
    from ends
    cross join lateral {{ days('ends.day', 'ends.last_day') }} as days
)

select * from final
