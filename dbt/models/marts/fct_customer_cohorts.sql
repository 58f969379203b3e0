{{ config(materialized='kept_table', key=['site_id', 'cohort_month']) }}

with purchases as (
    select * from {{ ref('fct_repeat_purchases') }}
    where {{ only_changed('site_id', 'cohort_month') }}
),

cohorts as (
    select
        site_id,
        cohort_month,
        count(distinct customer_key) as cohort_customers
    from purchases
    group by site_id, cohort_month
),

final as (
    select
        purchases.site_id,
        purchases.site_name,
        purchases.cohort_month,
        purchases.months_since,
        purchases.currency,
        cohorts.cohort_customers,
        count(distinct purchases.customer_key) as customers,
        count(*) as orders,
        coalesce(sum(purchases.net_total), 0.000000) as revenue,
        purchases.reporting_currency,
        sum(purchases.net_total_in_reporting) as revenue_in_reporting,
        count(*) filter (where purchases.net_total is not null and purchases.net_total_in_reporting is null) as orders_without_rate
    from purchases
    inner join cohorts on cohorts.site_id = purchases.site_id and cohorts.cohort_month = purchases.cohort_month
    group by
        purchases.site_id,
        purchases.site_name,
        purchases.cohort_month,
        purchases.months_since,
        purchases.currency,
        cohorts.cohort_customers,
        purchases.reporting_currency
)

select * from final

{% call changed_keys() %}
    select site_id, cohort_month from {{ ref('fct_repeat_purchases') }} where {{ is_newly_kept() }}
    union
    select site_id, cast(key as date) from {{ left_keys('fct_repeat_purchases', 'cohort_month') }} as departed
{% endcall %}
