{{ config(
    materialized='kept_table',
    key=['site_id', 'customer_key'],
    indexes=[{'columns': ['site_id', 'customer_key'], 'unique': true}, {'columns': ['site_id', 'first_paid_day']}],
    tells={'first_paid_day': 'first_paid_day'},
) }}

with customers as (
    select * from {{ ref('stg_app__customers') }}
    where {{ only_changed('site_id', 'customer_key') }}
),

sites as (
    select * from {{ ref('int_sites') }}
),

orders as (
    select
        site_id,
        customer_key,
        count(*) as orders,
        count(*) filter (where paid_at is not null) as paid_orders,
        min(paid_at) as first_paid_at,
        min(paid_day) as first_paid_day,
        max(paid_at) as last_paid_at,
        sum(net_total_in_reporting) filter (where paid_at is not null) as revenue_in_reporting,
        count(*) filter (where paid_at is not null and lacks_rate) as orders_without_rate
    from {{ ref('fct_orders') }}
    where customer_key is not null
        and not is_test
        and {{ only_changed('site_id', 'customer_key') }}
    group by site_id, customer_key
),

final as (
    select
        customers.site_id,
        customers.customer_key,
        customers.first_seen_at,
        {{ local_day('customers.first_seen_at', 'sites') }} as first_seen_day,
        customers.email_sha256 is not null as has_email,
        customers.phone_sha256 is not null as has_phone,
        coalesce(orders.orders, 0) as orders,
        coalesce(orders.paid_orders, 0) as paid_orders,
        orders.first_paid_at,
        orders.first_paid_day,
        orders.last_paid_at,
        orders.revenue_in_reporting,
        coalesce(orders.orders_without_rate, 0) as orders_without_rate
    from customers
    inner join sites on sites.site_id = customers.site_id
    left join orders on orders.site_id = customers.site_id and orders.customer_key = customers.customer_key
)

select * from final

{% call changed_keys() %}
    select site_id, customer_key from {{ ref('stg_changes__customers') }} where {{ is_new('written_by') }}
    union
    select site_id, customer_key from {{ ref('fct_orders') }} where customer_key is not null and {{ is_newly_kept() }}
    union
    select site_id, customer_key from {{ this }}
    where md5(customer_key) in (select key from {{ left_keys('fct_orders', 'customer') }} as departed)
    union
    select kept.site_id, kept.customer_key from {{ this }} as kept
    where exists (select from {{ ref('stg_changes__privacy_requests') }} where {{ is_new('written_by') }})
        and not exists (
            select from {{ ref('stg_changes__customers') }} as customers
            where customers.site_id = kept.site_id and customers.customer_key = kept.customer_key
        )
    union
    select site_id, customer_key from {{ this }} where site_id in (select site_id from {{ ref('int_sites') }} where {{ is_newly_kept() }})
{% endcall %}
