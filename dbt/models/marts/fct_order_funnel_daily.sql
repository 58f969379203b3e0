-- Orders of a day, followed as far as they got. Rows without a definition follow whole orders, by their totals; rows of a definition follow
-- the orders that it matched, by the values of its conversions.
{{ config(materialized='kept_table', key=['site_id', 'day']) }}

with orders as (
    select
        site_id,
        order_id,
        customer_key,
        campaign,
        click_kind,
        currency,
        total,
        ordered_at,
        paid_at,
        coalesce(ordered_day, paid_day) as day
    from {{ ref('fct_orders') }}
    where
        not is_test
        and coalesce(ordered_day, paid_day) is not null
        and {{ only_changed('site_id', 'coalesce(ordered_day, paid_day)') }}
),

checkouts as (
    select * from {{ ref('fct_commerce_events') }}
    where activity = 'checkout.started' and not is_undone and not is_test
        and {{ kept_choice('true', 'activity_at between (select min(k2) - 2 from kept_changed) and (select max(k2) + 2 from kept_changed)') }}
),

-- The newest checkout that the customer had started before, within a day.
checkouts_of_orders as (
    select
        orders.site_id,
        orders.order_id,
        max(checkouts.activity_at) as started_at
    from orders
    inner join checkouts
        on checkouts.site_id = orders.site_id
        and checkouts.customer_key = orders.customer_key
        and checkouts.activity_at <= orders.ordered_at
        and checkouts.activity_at > orders.ordered_at - interval '24 hours'
    group by orders.site_id, orders.order_id
),

conversions as (
    select
        conversions.site_id,
        conversions.order_id,
        conversions.definition_key,
        count(*) filter (where conversions.attempts > 0) as sent,
        count(*) filter (where conversions.outcome = 'accepted') as accepted,
        count(*) filter (where conversions.value_at_google > 0) as kept,
        sum(conversions.value) as value,
        sum(conversions.value) filter (where conversions.attempts > 0) as sent_value,
        sum(conversions.value) filter (where conversions.outcome = 'accepted') as accepted_value,
        sum(conversions.value_at_google) as kept_value,
        min(conversions.created_at) as matched_at,
        min(conversions.settled_at) filter (where conversions.outcome = 'accepted') as accepted_at
    from {{ ref('fct_conversions') }} as conversions
    inner join orders on orders.site_id = conversions.site_id and orders.order_id = conversions.order_id
    group by conversions.site_id, conversions.order_id, conversions.definition_key
),

whole as (
    select
        site_id,
        order_id,
        sum(sent) as sent,
        sum(accepted) as accepted,
        sum(kept) as kept,
        sum(kept_value) as kept_value,
        min(matched_at) as matched_at,
        min(accepted_at) as accepted_at
    from conversions
    group by site_id, order_id
),

steps as (
    select
        orders.site_id,
        orders.day,
        cast(null as text) as definition_key,
        orders.campaign,
        orders.click_kind,
        orders.currency,
        0 as checkouts,
        1 as created,
        case when orders.paid_at is not null then 1 else 0 end as paid,
        case when whole.order_id is not null then 1 else 0 end as matched,
        case when whole.sent > 0 then 1 else 0 end as sent,
        case when whole.accepted > 0 then 1 else 0 end as accepted,
        case when whole.kept > 0 then 1 else 0 end as kept,
        cast(null as numeric(20, 6)) as checkout_value,
        orders.total as created_value,
        case when orders.paid_at is not null then orders.total end as paid_value,
        case when whole.order_id is not null then orders.total end as matched_value,
        case when whole.sent > 0 then orders.total end as sent_value,
        case when whole.accepted > 0 then orders.total end as accepted_value,
        whole.kept_value,
        {{ seconds_between('checkouts_of_orders.started_at', 'orders.ordered_at') }} as checkout_to_created_s,
        {{ seconds_between('orders.ordered_at', 'orders.paid_at') }} as created_to_paid_s,
        {{ seconds_between('orders.paid_at', 'whole.matched_at') }} as paid_to_matched_s,
        {{ seconds_between('whole.matched_at', 'whole.accepted_at') }} as matched_to_accepted_s
    from orders
    left join checkouts_of_orders
        on checkouts_of_orders.site_id = orders.site_id and checkouts_of_orders.order_id = orders.order_id
    left join whole on whole.site_id = orders.site_id and whole.order_id = orders.order_id
    union all
    select
        orders.site_id,
        orders.day,
        conversions.definition_key,
        orders.campaign,
        orders.click_kind,
        orders.currency,
        0,
        1,
        case when orders.paid_at is not null then 1 else 0 end,
        1,
        case when conversions.sent > 0 then 1 else 0 end,
        case when conversions.accepted > 0 then 1 else 0 end,
        case when conversions.kept > 0 then 1 else 0 end,
        null,
        orders.total,
        case when orders.paid_at is not null then orders.total end,
        conversions.value,
        conversions.sent_value,
        conversions.accepted_value,
        conversions.kept_value,
        null,
        {{ seconds_between('orders.ordered_at', 'orders.paid_at') }},
        {{ seconds_between('orders.paid_at', 'conversions.matched_at') }},
        {{ seconds_between('conversions.matched_at', 'conversions.accepted_at') }}
    from orders
    inner join conversions on conversions.site_id = orders.site_id and conversions.order_id = orders.order_id
    union all
    select
        site_id,
        day,
        null,
        campaign,
        click_kind,
        currency,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        amount,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null
    from checkouts
    where {{ only_changed('site_id', 'day') }}
),

sites as (
    select * from {{ ref('int_sites') }}
),

final as (
    select
        steps.site_id,
        sites.site_name,
        steps.day,
        steps.definition_key,
        steps.campaign,
        steps.click_kind,
        steps.currency,
        {% for step in ['checkouts', 'created', 'paid', 'matched', 'sent', 'accepted', 'kept'] %}
        {{ sum_of_counts('steps.' ~ step) }} as {{ step if step == 'checkouts' else 'orders_' ~ step }},
        {% endfor %}
        {% for step in ['checkout', 'created', 'paid', 'matched', 'sent', 'accepted', 'kept'] %}
        coalesce(sum(steps.{{ step }}_value), 0.000000) as {{ step }}_value,
        {% endfor %}
        {% for lap in ['checkout_to_created', 'created_to_paid', 'paid_to_matched', 'matched_to_accepted'] %}
        {{ sum_of_counts('steps.' ~ lap ~ '_s') }} as {{ lap }}_seconds,
        count(steps.{{ lap }}_s) as {{ lap }}_orders{% if not loop.last %},{% endif %}

        {%- endfor %}
    from steps
    inner join sites on sites.site_id = steps.site_id
    group by 1, 2, 3, 4, 5, 6, 7
)

select * from final

{% call changed_keys() %}
    select site_id, coalesce(ordered_day, paid_day) from {{ ref('fct_orders') }}
    where coalesce(ordered_day, paid_day) is not null and {{ is_newly_kept() }}
    union
    select site_id, cast(key as date) from {{ left_keys('fct_orders', 'funnel_day') }} as departed where key is not null
    union
    select orders.site_id, coalesce(orders.ordered_day, orders.paid_day)
    from {{ ref('fct_conversions') }} as conversions
    inner join {{ ref('fct_orders') }} as orders
        on orders.site_id = conversions.site_id and orders.order_id = conversions.order_id
    where coalesce(orders.ordered_day, orders.paid_day) is not null and {{ is_newly_kept('conversions') }}
    union
    -- a checkout, and the orders of the day after that came of it
    select checkouts.site_id, checkouts.day + later.days
    from (
        select site_id, day from {{ ref('fct_commerce_events') }} where activity = 'checkout.started' and {{ is_newly_kept() }}
        union
        select site_id, cast(key as date) from {{ left_keys('fct_commerce_events', 'day') }} as departed
    ) as checkouts
    cross join (values (0), (1)) as later (days)
    union
    select site_id, day from {{ this }} where site_id in (select site_id from {{ ref('int_sites') }} where {{ is_newly_kept() }})
{% endcall %}
