-- Weights are whole numbers and credits are cut to cents; what is cut off goes to the last touch that has a weight. So they add up exactly,
-- on every engine. `time_decay` halves by CUSTOM_EVENTS_ATTRIBUTION_HALF_LIFE_DAYS, from day to day; its weights are computed where the model is
-- compiled.
{{ config(
    materialized='kept_table',
    key=['site_id', 'person'],
    indexes=[{'columns': ['site_id', 'order_id'], 'unique': false}, {'columns': ['site_id', 'day'], 'unique': false}],
    tells={'day': 'day'},
) }}
{%- set lookback_days = env_var('CUSTOM_EVENTS_DBT_ATTRIBUTION_LOOKBACK_DAYS', '30') | int %}
{%- set half_life_days = env_var('CUSTOM_EVENTS_DBT_ATTRIBUTION_HALF_LIFE_DAYS', '7') | int %}

with orders as (
    select
        site_id,
        site_name,
        order_id,
        coalesce(customer_key, 'order:' || order_id) as person,
        coalesce(ordered_at, paid_at) as decided_at,
        paid_day,
        currency,
        total,
        net_total
    from {{ ref('fct_orders') }}
    where
        paid_day is not null
        and not is_test
        and {{ only_changed('site_id', "coalesce(customer_key, 'order:' || order_id)") }}
),

touches as (
    select * from {{ ref('int_touches') }}
),

paths as (
    select
        orders.*,
        touches.touched_at,
        touches.click_id as touch_click_id,
        touches.click_kind as touch_click_kind,
        touches.source as touch_source,
        touches.medium as touch_medium,
        touches.campaign as touch_campaign,
        {{ seconds_between('touches.touched_at', 'orders.decided_at') }} as seconds_before,
        case
            when touches.touched_at is not null then row_number() over (
                partition by orders.site_id, orders.order_id
                order by
                    touches.touched_at,
                    {{ by_bytes('touches.click_id') }},
                    {{ by_bytes('touches.source') }},
                    {{ by_bytes('touches.medium') }},
                    {{ by_bytes('touches.campaign') }}
            )
        end as touch_number,
        count(touches.touched_at) over (partition by orders.site_id, orders.order_id) as touches
    from orders
    left join touches
        on touches.site_id = orders.site_id
        and touches.person = orders.person
        and touches.touched_at <= orders.decided_at
        and {{ seconds_between('touches.touched_at', 'orders.decided_at') }} <= {{ lookback_days }} * 86400
),

decay as (
    {% for days in range(lookback_days + 1) -%}
    select {{ days }} as days, {{ [(1048576 * 0.5 ** (days / half_life_days)) | round | int, 1] | max }} as weight{% if not loop.last %} union all{% endif %}

    {% endfor %}
),

weighted as (
    {% for model, weight in [
        ('first', 'case when coalesce(touch_number, 1) = 1 then 1 else 0 end'),
        ('last', 'case when coalesce(touch_number, 0) = touches then 1 else 0 end'),
        ('linear', '1'),
        ('position', 'case when touches <= 2 then 1 when touch_number in (1, touches) then 2 * (touches - 2) else 1 end'),
        ('time_decay', 'coalesce(decay.weight, 1)'),
    ] -%}
    select
        paths.*,
        '{{ model }}' as model,
        cast({{ weight }} as bigint) as weight
    from paths
    {% if model == 'time_decay' -%}
    left join decay
        on paths.seconds_before >= decay.days * 86400 and paths.seconds_before < (decay.days + 1) * 86400
    {% endif -%}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

shared as (
    select
        *,
        sum(weight) over (partition by site_id, order_id, model) as weights,
        coalesce(touch_number, 0) = max(coalesce(touch_number, 0)) over (partition by site_id, order_id, model) as takes_rest
    from weighted
    where weight > 0
),

cut as (
    select
        *,
        {{ share_of('1', 'weight', 'weights', 6) }} as order_share,
        {{ share_of('total', 'weight', 'weights', 2) }} as value_share,
        {{ share_of('net_total', 'weight', 'weights', 2) }} as net_value_share
    from shared
),

final as (
    select
        site_id,
        site_name,
        person,
        order_id,
        paid_day as day,
        model,
        touch_number,
        touches,
        touched_at,
        seconds_before,
        touch_source as source,
        touch_medium as medium,
        touch_campaign as campaign,
        touch_click_kind as click_kind,
        case when takes_rest then 1 - (sum(order_share) over parts - order_share) else order_share end as order_credit,
        currency,
        case when takes_rest then total - (sum(value_share) over parts - value_share) else value_share end as value_credit,
        case when takes_rest then net_total - (sum(net_value_share) over parts - net_value_share) else net_value_share end
            as net_value_credit
    from cut
    window parts as (partition by site_id, order_id, model)
)

select * from final

{% call changed_keys() %}
    select site_id, coalesce(customer_key, 'order:' || order_id) from {{ ref('fct_orders') }} where {{ is_newly_kept() }}
    union
    select site_id, person from {{ this }}
    where md5(person) in (
        select key from {{ left_keys('fct_orders', 'person') }} as departed
        union all
        select key from {{ left_keys('fct_commerce_events', 'customer') }} as departed
    )
    union
    select site_id, customer_key from {{ ref('fct_commerce_events') }}
    where customer_key is not null and activity in ('checkout.started', 'customer.created') and {{ is_newly_kept() }}
    union
    select clicks.site_id, coalesce(orders.customer_key, clicks.subject)
    from {{ ref('stg_changes__clicks') }} as clicks
    inner join {{ ref('fct_orders') }} as orders
        on orders.site_id = clicks.site_id and orders.order_id = substr(clicks.subject, 7)
    where {{ is_new('clicks.written_by') }} and clicks.subject like 'order:%'
{% endcall %}
