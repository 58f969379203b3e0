-- An order counts on the day it was paid, in the site's time zone. Test orders match nothing, so they are left out.
{{ config(materialized='kept_table', key=['site_id', 'day'], indexes=[{'columns': ['site_id', 'day'], 'unique': true}]) }}

with orders as (
    select * from {{ ref('fct_orders') }}
    where paid_day is not null and not is_test and {{ only_changed('site_id', 'paid_day') }}
),

final as (
    select
        site_id,
        site_name,
        paid_day as day,
        count(*) as orders,
        count(*) filter (where outcome in ('accepted', 'unmatched', 'rejected')) as sent,
        count(*) filter (where outcome = 'withheld' and reason is not null) as withheld,
        count(*) filter (where outcome in ('waiting', 'unknown')) as waiting,
        count(*) filter (where outcome = 'expired') as expired,
        count(*) filter (where outcome = 'no_match') as no_match
    from orders
    group by site_id, site_name, paid_day
)

select * from final

{% call changed_keys() %}
    select site_id, paid_day from {{ ref('fct_orders') }} where paid_day is not null and {{ is_newly_kept() }}
    union
    select site_id, cast(key as date) from {{ left_keys('fct_orders', 'paid_day') }} as departed where key is not null
{% endcall %}
