-- Every delivery that came, landed, repeated or refused, with what became of it. Where a kept table asks for some days only (its key: the
-- site, the day), weeks that cannot hold them are not read.
with landed as (
    select
        raw.site_id,
        raw.received_at,
        raw.topic,
        'landed' as verdict,
        outcomes.outcome,
        outcomes.reason
    from {{ ref('stg_landing__raw_events') }} as raw
    left join {{ ref('stg_app__raw_outcomes') }} as outcomes
        on outcomes.landed_week = raw.landed_week and outcomes.raw_id = raw.id
        and {{ kept_choice('true', 'outcomes.landed_week between (select min(k2) - 8 from kept_changed) and (select max(k2) + 1 from kept_changed)') }}
    where {{ kept_choice('true', 'raw.landed_week between (select min(k2) - 8 from kept_changed) and (select max(k2) + 1 from kept_changed)') }}
),

repeated as (
    select
        site_id,
        received_at,
        topic,
        'duplicate' as verdict,
        'ignored' as outcome,
        'duplicate_delivery' as reason
    from {{ ref('stg_landing__duplicate_deliveries') }}
),

refused as (
    select
        site_id,
        received_at,
        topic,
        'refused' as verdict,
        null as outcome,
        reason
    from {{ ref('stg_landing__refused_events') }}
),

unioned as (
    select * from landed
    union all
    select * from repeated
    union all
    select * from refused
)

select * from unioned
