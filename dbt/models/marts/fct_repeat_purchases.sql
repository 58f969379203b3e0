{{ config(
    materialized='kept_table',
    key=['site_id', 'customer_key'],
    indexes=[{'columns': ['site_id', 'order_id'], 'unique': true}, {'columns': ['site_id', 'cohort_month'], 'unique': false}],
    tells={'cohort_month': 'cohort_month'},
) }}

with orders as (
    select * from {{ ref('fct_orders') }}
    where paid_day is not null and not is_test and customer_key is not null and {{ only_changed('site_id', 'customer_key') }}
),

numbered as (
    select
        *,
        row_number() over (partition by site_id, customer_key order by paid_at, {{ by_bytes('order_id') }}) as purchase,
        lag(paid_at) over (partition by site_id, customer_key order by paid_at, {{ by_bytes('order_id') }}) as previous_paid_at,
        lag(paid_day) over (partition by site_id, customer_key order by paid_at, {{ by_bytes('order_id') }}) as previous_paid_day,
        min(paid_day) over (partition by site_id, customer_key) as first_paid_day
    from orders
),

final as (
    select
        site_id,
        site_name,
        customer_key,
        order_id,
        purchase,
        paid_day as day,
        {{ month_start('first_paid_day') }} as cohort_month,
        {{ months_between('first_paid_day', 'paid_day') }} as months_since,
        cast(paid_day - previous_paid_day as integer) as days_since_previous,
        {{ seconds_between('previous_paid_at', 'paid_at') }} as seconds_since_previous,
        currency,
        total,
        net_total,
        reporting_currency,
        net_total_in_reporting,
        paid_at
    from numbered
)

select * from final

{% call changed_keys() %}
    select site_id, customer_key from {{ ref('fct_orders') }} where customer_key is not null and {{ is_newly_kept() }}
    union
    select site_id, customer_key from {{ this }}
    where md5(customer_key) in (select key from {{ left_keys('fct_orders', 'customer') }} as departed)
{% endcall %}
