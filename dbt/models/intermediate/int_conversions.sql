-- Conversions of the ledger with the value that stands at Google now: the newest accepted adjustment, else their own.
with uploads as (
    select * from {{ ref('stg_app__conversion_uploads') }}
),

conversions as (
    select * from uploads
    where kind = 'conversion'
),

withdrawn as (
    select id from {{ ref('stg_app__custom_events') }}
    where withdrawn_at is not null
),

adjustments as (
    select
        ads_action_id,
        transaction_id,
        count(*) as adjustments,
        count(*) filter (where state = 'accepted') as adjustments_accepted,
        max(sequence) filter (where state = 'accepted') as last_sequence
    from uploads
    where kind != 'conversion'
    group by ads_action_id, transaction_id
),

last_adjustments as (
    select
        adjustments.ads_action_id,
        adjustments.transaction_id,
        adjustments.adjustments,
        adjustments.adjustments_accepted,
        uploads.kind as last_kind,
        uploads.value as last_value
    from adjustments
    left join uploads
        on uploads.ads_action_id = adjustments.ads_action_id
        and uploads.transaction_id = adjustments.transaction_id
        and uploads.sequence = adjustments.last_sequence
),

joined as (
    select
        conversions.*,
        withdrawn.id is not null as is_withdrawn,
        coalesce(last_adjustments.adjustments, 0) as adjustments,
        coalesce(last_adjustments.adjustments_accepted, 0) as adjustments_accepted,
        case
            when conversions.state != 'accepted' or ({{ is_unmatched('conversions') }}) then null
            when last_adjustments.last_kind = 'retraction' then 0
            else coalesce(last_adjustments.last_value, conversions.value)
        end as value_at_google,
        case
            when {{ is_unmatched('conversions') }} then 'unmatched'
            when conversions.state = 'accepted' then 'accepted'
            when conversions.state = 'rejected' then 'rejected'
            when conversions.state = 'expired' then 'expired'
            when conversions.state = 'unknown' then 'unknown'
            when conversions.state = 'withheld' then 'withheld'
            else 'waiting'
        end as outcome
    from conversions
    left join last_adjustments
        on last_adjustments.ads_action_id = conversions.ads_action_id
        and last_adjustments.transaction_id = conversions.transaction_id
    left join withdrawn on withdrawn.id = conversions.custom_event_id
)

select * from joined
