-- Each stage counts its own rows on the day they were made there, in the site's time zone.
{{ config(materialized='kept_table', key=['coalesce({}.site_id, 0)', 'day']) }}

with sites as (
    select * from {{ ref('int_sites') }}
),

deliveries as (
    select
        d.site_id,
        {{ local_day('d.received_at', 'sites') }} as day,
        count(*) as received,
        count(*) filter (where d.verdict = 'refused') as refused,
        count(*) filter (where d.verdict != 'refused') as landed,
        count(*) filter (where d.outcome = 'understood') as understood,
        count(*) filter (where d.outcome = 'parked') as parked,
        count(*) filter (where d.outcome = 'ignored') as ignored
    from {{ ref('int_deliveries') }} as d
    left join sites on sites.site_id = d.site_id
    where {{ only_changed('coalesce(d.site_id, 0)', local_day('d.received_at', 'sites')) }}
    group by 1, 2
),

events as (
    select
        site_id,
        arrived_day as day,
        count(*) as commerce_events
    from {{ ref('fct_commerce_events') }}
    where {{ only_changed('site_id', 'arrived_day') }}
    group by 1, 2
),

conversions as (
    select
        site_id,
        created_day as day,
        count(*) as matched,
        count(*) filter (where outcome != 'withheld') as queued,
        count(*) filter (where outcome = 'withheld') as withheld,
        count(*) filter (where attempts > 0) as sent,
        count(*) filter (where outcome = 'accepted') as accepted,
        count(*) filter (where outcome = 'unmatched') as unmatched,
        count(*) filter (where outcome = 'rejected') as rejected,
        count(*) filter (where outcome = 'waiting') as waiting,
        count(*) filter (where outcome = 'expired') as expired,
        count(*) filter (where outcome = 'unknown') as unknown
    from {{ ref('fct_conversions') }}
    where {{ only_changed('site_id', 'created_day') }}
    group by 1, 2
),

days as (
    select site_id, day from deliveries
    union
    select site_id, day from events
    union
    select site_id, day from conversions
),

final as (
    select
        days.site_id,
        sites.site_name,
        days.day,
        coalesce(deliveries.received, 0) as received,
        coalesce(deliveries.refused, 0) as refused,
        coalesce(deliveries.landed, 0) as landed,
        coalesce(deliveries.understood, 0) as understood,
        coalesce(deliveries.parked, 0) as parked,
        coalesce(deliveries.ignored, 0) as ignored,
        coalesce(events.commerce_events, 0) as commerce_events,
        coalesce(conversions.matched, 0) as matched,
        coalesce(conversions.queued, 0) as queued,
        coalesce(conversions.withheld, 0) as withheld,
        coalesce(conversions.sent, 0) as sent,
        coalesce(conversions.accepted, 0) as accepted,
        coalesce(conversions.unmatched, 0) as unmatched,
        coalesce(conversions.rejected, 0) as rejected,
        coalesce(conversions.waiting, 0) as waiting,
        coalesce(conversions.expired, 0) as expired,
        coalesce(conversions.unknown, 0) as unknown
    from days
    left join sites on sites.site_id = days.site_id
    left join deliveries on deliveries.site_id is not distinct from days.site_id and deliveries.day = days.day
    left join events on events.site_id = days.site_id and events.day = days.day
    left join conversions on conversions.site_id = days.site_id and conversions.day = days.day
)

select * from final

{% call changed_keys() %}
    {{ days_of_new_arrivals() }}
    union
    select site_id, created_day from {{ ref('fct_conversions') }} where {{ is_newly_kept() }}
    union
    select site_id, cast(key as date) from {{ left_keys('fct_conversions', 'created_day') }} as departed
    union
    select coalesce(site_id, 0), day from {{ this }} where site_id in (select site_id from {{ ref('int_sites') }} where {{ is_newly_kept() }})
    union
    -- weeks of raw events that are kept no longer
    select coalesce(site_id, 0), day from {{ this }}
    where landed > 0 and day < (select min(landed_week) - 1 from {{ ref('stg_landing__raw_events') }})
{% endcall %}
