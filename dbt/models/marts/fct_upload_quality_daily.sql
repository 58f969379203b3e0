{{ config(materialized='kept_table', key=['site_id', 'day']) }}

with sites as (
    select * from {{ ref('int_sites') }}
),

accounts as (
    select * from {{ ref('stg_app__ads_accounts') }}
),

actions as (
    select * from {{ ref('stg_app__ads_actions') }}
),

uploads as (
    select
        site_id,
        ads_account_id,
        ads_action_id,
        'conversion' as kind,
        created_day as day,
        outcome,
        reason,
        attempts,
        seconds_to_settle
    from {{ ref('fct_conversions') }}
    where {{ only_changed('site_id', 'created_day') }}
    union all
    select
        adjustments.site_id,
        adjustments.ads_account_id,
        adjustments.ads_action_id,
        adjustments.kind,
        adjustments.created_day,
        case
            when adjustments.state in ('accepted', 'rejected', 'expired', 'unknown', 'withheld') then adjustments.state
            else 'waiting'
        end as outcome,
        adjustments.reason,
        adjustments.attempts,
        adjustments.seconds_to_settle
    from {{ ref('fct_conversion_adjustments') }} as adjustments
    where {{ only_changed('adjustments.site_id', 'adjustments.created_day') }}
),

final as (
    select
        uploads.site_id,
        sites.site_name,
        uploads.ads_account_id,
        accounts.customer_id,
        actions.action_id,
        uploads.kind,
        uploads.day,
        uploads.outcome,
        uploads.reason,
        count(*) as uploads,
        {{ sum_of_counts('uploads.attempts') }} as attempts,
        count(*) filter (where uploads.attempts > 0) as sent,
        count(*) filter (where uploads.attempts > 1) as sent_again,
        {{ sum_of_counts('uploads.seconds_to_settle') }} as lag_seconds,
        count(uploads.seconds_to_settle) as lag_uploads,
        count(*) filter (where uploads.seconds_to_settle > 86400) as slow_uploads
    from uploads
    inner join sites on sites.site_id = uploads.site_id
    left join accounts on accounts.id = uploads.ads_account_id
    left join actions on actions.id = uploads.ads_action_id
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9
)

select * from final

{% call changed_keys() %}
    select site_id, created_day from {{ ref('fct_conversions') }} where {{ is_newly_kept() }}
    union
    select site_id, cast(key as date) from {{ left_keys('fct_conversions', 'created_day') }} as departed
    union
    select site_id, created_day from {{ ref('fct_conversion_adjustments') }} where {{ is_newly_kept() }}
    union
    select site_id, cast(key as date) from {{ left_keys('fct_conversion_adjustments', 'created_day') }} as departed
    union
    select site_id, day from {{ this }} where site_id in (select site_id from {{ ref('int_sites') }} where {{ is_newly_kept() }})
{% endcall %}
