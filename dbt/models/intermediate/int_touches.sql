-- What led people to a shop, as their checkouts and orders carried it. A click that several of them carried is one touch, its first; without
-- a click, the same words on one day are one.
with orders as (
    select
        site_id,
        coalesce(customer_key, 'order:' || order_id) as person,
        'order:' || order_id as subject,
        coalesce(ordered_at, paid_at) as carried_at,
        coalesce(ordered_day, paid_day) as day,
        source,
        medium,
        campaign
    from {{ ref('fct_orders') }}
    where
        not is_test
        and coalesce(ordered_at, paid_at) is not null
        and {{ only_changed('site_id', "coalesce(customer_key, 'order:' || order_id)") }}
),

activities as (
    select
        activities.site_id,
        activities.customer_key as person,
        case
            when activities.activity = 'checkout.started' then 'cart:' || substr(events.key, length('checkout.started:') + 1)
            else events.key
        end as subject,
        activities.activity_at as carried_at,
        activities.day,
        activities.source,
        activities.medium,
        activities.campaign
    from {{ ref('fct_commerce_events') }} as activities
    inner join {{ ref('stg_app__commerce_events') }} as events
        on events.id = activities.event_id and events.occurred_at = activities.activity_at
    where
        activities.activity in ('checkout.started', 'customer.created')
        and activities.customer_key is not null
        and not activities.is_undone
        and not activities.is_test
        and {{ only_changed('activities.site_id', 'activities.stream') }}
),

carriers as (
    select * from orders
    union all
    select * from activities
),

clicks as (
    select * from {{ ref('stg_app__clicks') }}
),

carried as (
    select
        carriers.*,
        clicks.click_id,
        clicks.kind as click_kind,
        least(coalesce(clicks.clicked_at, clicks.seen_at), carriers.carried_at) as touched_at
    from carriers
    left join clicks on clicks.site_id = carriers.site_id and clicks.subject = carriers.subject
),

-- What makes carriers one touch: the click, else the words and the day.
keyed as (
    select
        *,
        coalesce(touched_at, carried_at) as moment,
        case when click_id is null then coalesce(source, '') end as same_source,
        case when click_id is null then coalesce(medium, '') end as same_medium,
        case when click_id is null then coalesce(campaign, '') end as same_campaign,
        case when click_id is null then day end as same_day
    from carried
    where coalesce(click_id, source, medium, campaign) is not null
),

-- Its first moment, and the words of the first that has some. (`distinct on`: PostgreSQL would expect few rows of a numbered row's filter.)
final as (
    select distinct on (site_id, person, click_id, same_source, same_medium, same_campaign, same_day)
        site_id,
        person,
        min(moment) over (
            partition by site_id, person, click_id, same_source, same_medium, same_campaign, same_day
        ) as touched_at,
        click_id,
        click_kind,
        source,
        medium,
        campaign
    from keyed
    order by
        site_id,
        person,
        click_id,
        same_source,
        same_medium,
        same_campaign,
        same_day,
        case when coalesce(source, medium, campaign) is null then 1 else 0 end,
        moment,
        {{ by_bytes('subject') }}
)

select * from final
