{{ config(
    materialized='kept_table',
    key=['site_id', 'stream'],
    indexes=[
        {'columns': ['event_id'], 'unique': true},
        {'columns': ['site_id', 'order_id']},
        {'columns': ['activity_at']},
        {'columns': ['site_id', 'arrived_day']},
    ],
    tells={'day': 'day', 'order': 'md5({}.order_id)', 'customer': 'md5({}.customer_key)', 'arrived_day': 'arrived_day'},
) }}

-- Activities have numbers within a customer, so what a customer did is computed together; what nobody did stands for itself.
with all_events as (
    select * from {{ ref('stg_app__commerce_events') }}
),

events as (
    {% set of_customers -%}
        select events.* from {{ ref('stg_app__commerce_events') }} as events
        where {{ only_changed_now('events.site_id', 'events.customer_key') }}
        union all
        select events.* from {{ ref('stg_app__commerce_events') }} as events
        where events.customer_key is null
            and {{ only_changed_now(occurred_at='events.occurred_at', event_id='events.id') }}
    {%- endset %}
    {{ kept_choice('select * from all_events', of_customers) }}
),

sites as (
    select * from {{ ref('int_sites') }}
),

described as (
    select
        events.id as event_id,
        events.site_id,
        coalesce(events.customer_key, 'event:' || events.id) as stream,
        events.customer_key,
        events.order_id,
        events.type as activity,
        events.amount,
        events.currency,
        events.key,
        facts.utm ->> 'source' as source,
        facts.utm ->> 'medium' as medium,
        facts.utm ->> 'campaign' as campaign,
        facts.clicks -> 0 ->> 'kind' as click_kind,
        events.is_test,
        events.is_undone,
        events.customer_key is not null and not events.is_test and not events.is_undone as counts,
        case
            when events.is_test or events.is_undone then null
            when events.type = 'order.paid' then events.amount
            when events.type = 'order.refunded' then - events.amount
        end as revenue,
        events.occurred_at as activity_at,
        {{ local_day('events.occurred_at', 'sites') }} as day,
        events.created_at as arrived_at,
        {{ local_day('events.created_at', 'sites') }} as arrived_day
    from events
    {{ facts_of('events') }}
    inner join sites on sites.site_id = events.site_id
),

numbered as (
    select
        *,
        case when counts then row_number() over activities end as occurrence,
        case when counts then lag(activity_at) over activities end as previous_at,
        case when counts then lag(day) over activities end as previous_day
    from described
    window activities as (partition by site_id, stream, activity, counts order by activity_at, {{ by_bytes('key') }})
),

rates as (
    select * from {{ ref('fct_exchange_rates') }}
),

final as (
    select
        numbered.event_id,
        numbered.site_id,
        numbered.stream,
        numbered.customer_key,
        numbered.order_id,
        numbered.activity,
        numbered.occurrence,
        numbered.day - numbered.previous_day as days_since_previous,
        {{ seconds_between('numbered.previous_at', 'numbered.activity_at') }} as seconds_since_previous,
        numbered.amount,
        numbered.revenue,
        numbered.currency,
        {{ reporting_currency() }} as reporting_currency,
        {{ in_reporting('numbered.revenue', 'numbered.currency', 'rates') }} as revenue_in_reporting,
        {{ lacks_rate('numbered.revenue', 'numbered.currency', 'rates') }} as lacks_rate,
        numbered.source,
        numbered.medium,
        numbered.campaign,
        numbered.click_kind,
        numbered.is_test,
        numbered.is_undone,
        numbered.activity_at,
        numbered.day,
        numbered.arrived_at,
        numbered.arrived_day
    from numbered
    left join rates on rates.currency = numbered.currency and rates.day = numbered.day
)

select * from final

{% call noticed_rows() %}
    select event_id, occurred_at from {{ ref('stg_changes__event_keys') }} where {{ is_new('written_by') }}
    union all
    -- events that are undone or hold again: their orders were written with them
    select kept.event_id, kept.activity_at
    from {{ this }} as kept
    inner join {{ ref('stg_changes__orders') }} as orders on orders.site_id = kept.site_id and orders.order_id = kept.order_id
    where {{ is_new('orders.written_by') }}
{% endcall %}

{% call changed_keys('occurred_at', 'event_id') %}
    with touched as (
        select * from {{ this }} where event_id in (select event_id from kept_noticed)
        union all
        select * from {{ this }} where site_id in (select site_id from {{ ref('int_sites') }} where {{ is_newly_kept() }})
        union all
        select * from {{ this }} where day::text in {{ days_of_new_rates() }}
        union all
        select * from {{ this }}
        where activity_at < (select coalesce(min(occurred_at), 'infinity') from {{ ref('stg_app__commerce_events') }})
    )

    select
        events.site_id,
        coalesce(events.customer_key, 'event:' || events.id),
        case when events.customer_key is null then events.occurred_at end,
        case when events.customer_key is null then events.id end
    from kept_noticed
    inner join {{ ref('stg_app__commerce_events') }} as events
        on events.occurred_at = kept_noticed.occurred_at
        and events.id = kept_noticed.event_id
    union
    select
        site_id,
        stream,
        case when customer_key is null then activity_at end,
        case when customer_key is null then event_id end
    from touched
{% endcall %}
