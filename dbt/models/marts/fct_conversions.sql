{{ config(
    materialized='kept_table',
    key=['created_at', 'upload_id'],
    indexes=[
        {'columns': ['upload_id'], 'unique': true},
        {'columns': ['custom_event_id']},
        {'columns': ['site_id', 'order_id']},
        {'columns': ['site_id', 'day']},
        {'columns': ['site_id', 'created_day']},
    ],
    tells={'day': 'day', 'created_day': 'created_day', 'order': 'md5({}.order_id)'},
) }}

-- The value that stands at Google is that of the newest accepted adjustment, else the conversion's own.
with conversions as (
    select * from {{ ref('stg_app__conversion_uploads') }}
    where kind = 'conversion'
        and {{ only_changed('created_at', 'id') }}
),

adjustments as (
    select * from {{ ref('stg_app__conversion_uploads') }} as uploads
    where kind != 'conversion'
        and {{ kept_choice('true', 'custom_event_id in (select custom_event_id from conversions)') }}
),

counted as (
    select
        ads_action_id,
        transaction_id,
        count(*) as adjustments,
        count(*) filter (where state = 'accepted') as adjustments_accepted,
        max(sequence) filter (where state = 'accepted') as last_sequence
    from adjustments
    group by ads_action_id, transaction_id
),

last_adjustments as (
    select
        counted.*,
        adjustments.kind as last_kind,
        adjustments.value as last_value
    from counted
    left join adjustments
        on adjustments.ads_action_id = counted.ads_action_id
        and adjustments.transaction_id = counted.transaction_id
        and adjustments.sequence = counted.last_sequence
),

custom_events as (
    select * from {{ ref('fct_custom_events') }}
),

events as (
    select * from {{ ref('fct_commerce_events') }}
),

assignments as (
    select * from {{ ref('dim_assignments') }}
),

sites as (
    select * from {{ ref('int_sites') }}
),

rates as (
    select * from {{ ref('fct_exchange_rates') }}
),

joined as (
    select
        conversions.*,
        assignments.definition_id,
        assignments.definition_key,
        coalesce(custom_events.is_withdrawn, false) as is_withdrawn,
        events.source,
        events.medium,
        events.campaign,
        {{ local_day('conversions.conversion_at', 'sites') }} as day,
        {{ local_day('conversions.created_at', 'sites') }} as created_day,
        coalesce(last_adjustments.adjustments, 0) as adjustments,
        coalesce(last_adjustments.adjustments_accepted, 0) as adjustments_accepted,
        case
            when conversions.state != 'accepted' or ({{ is_unmatched('conversions') }}) then null
            when last_adjustments.last_kind = 'retraction' then 0
            else coalesce(last_adjustments.last_value, conversions.value)
        end as value_at_google,
        case
            when {{ is_unmatched('conversions') }} then 'unmatched'
            when conversions.state in ('accepted', 'rejected', 'expired', 'unknown', 'withheld') then conversions.state
            else 'waiting'
        end as outcome
    from conversions
    inner join assignments on assignments.assignment_id = conversions.assignment_id
    inner join sites on sites.site_id = conversions.site_id
    left join last_adjustments
        on last_adjustments.ads_action_id = conversions.ads_action_id
        and last_adjustments.transaction_id = conversions.transaction_id
    left join custom_events on custom_events.custom_event_id = conversions.custom_event_id
    left join events on events.event_id = custom_events.commerce_event_id
),

final as (
    select
        joined.id as upload_id,
        joined.site_id,
        joined.assignment_id,
        joined.definition_id,
        joined.definition_key,
        joined.custom_event_id,
        joined.order_id,
        joined.ads_account_id,
        joined.ads_action_id,
        joined.transaction_id,
        joined.state,
        joined.outcome,
        joined.reason,
        joined.is_withdrawn,
        joined.click_kind,
        joined.source,
        joined.medium,
        joined.campaign,
        joined.ad_user_data,
        joined.value,
        joined.value_at_google,
        joined.currency,
        {{ reporting_currency() }} as reporting_currency,
        {{ in_reporting('joined.value', 'joined.currency', 'rates') }} as value_in_reporting,
        {{ in_reporting('joined.value_at_google', 'joined.currency', 'rates') }} as value_at_google_in_reporting,
        {{ lacks_rate('joined.value', 'joined.currency', 'rates') }} as lacks_rate,
        joined.attempts::bigint as attempts,
        joined.adjustments,
        joined.adjustments_accepted,
        {{ seconds_between('joined.conversion_at', 'joined.created_at') }} as seconds_to_queue,
        {{ seconds_between('joined.conversion_at', 'joined.settled_at') }} as seconds_to_settle,
        joined.conversion_at,
        joined.day,
        joined.created_at,
        joined.created_day,
        joined.settled_at
    from joined
    left join rates on rates.currency = joined.currency and rates.day = joined.day
)

select * from final

{% call noticed_rows() %}
    select
        case when kind = 'conversion' then 'conversion' else 'adjustment' end as what,
        case when kind = 'conversion' then id else custom_event_id end as id,
        created_at
    from {{ ref('stg_changes__conversion_uploads') }}
    where {{ is_new('written_by') }}
    union all
    select 'custom_event', custom_event_id, null from {{ ref('fct_custom_events') }} where {{ is_newly_kept() }}
    union all
    select 'commerce_event', event_id, null from {{ ref('fct_commerce_events') }} where {{ is_newly_kept() }}
{% endcall %}

{% call changed_keys() %}
    select created_at, id from kept_noticed where what = 'conversion'
    union
    select created_at, upload_id from {{ this }}
    where custom_event_id in (select id from kept_noticed where what in ('adjustment', 'custom_event'))
    union
    select kept.created_at, kept.upload_id
    from kept_noticed
    inner join {{ ref('fct_custom_events') }} as custom_events on custom_events.commerce_event_id = kept_noticed.id
    inner join {{ this }} as kept on kept.custom_event_id = custom_events.custom_event_id
    where kept_noticed.what = 'commerce_event'
    union
    select created_at, upload_id from {{ this }}
    where upload_id in (select key::bigint from {{ left_keys('fct_custom_events', 'upload') }} as departed)
    union
    select created_at, upload_id from {{ this }} where site_id in (select site_id from {{ ref('int_sites') }} where {{ is_newly_kept() }})
    union
    select created_at, upload_id from {{ this }} where day::text in {{ days_of_new_rates() }}
{% endcall %}
