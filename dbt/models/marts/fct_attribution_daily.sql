{{ config(materialized='kept_table', key=['site_id', 'day']) }}

with credits as (
    select * from {{ ref('fct_attribution') }}
    where {{ only_changed('site_id', 'day') }}
),

final as (
    select
        site_id,
        site_name,
        day,
        model,
        source,
        medium,
        campaign,
        click_kind,
        currency,
        count(distinct order_id) as orders_touched,
        sum(order_credit) as order_credit,
        coalesce(sum(value_credit), 0.000000) as value_credit,
        coalesce(sum(net_value_credit), 0.000000) as net_value_credit,
        count(touch_number) as touches
    from credits
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9
)

select * from final

{% call changed_keys() %}
    select site_id, day from {{ ref('fct_attribution') }} where {{ is_newly_kept() }}
    union
    select site_id, cast(key as date) from {{ left_keys('fct_attribution', 'day') }} as departed
{% endcall %}
