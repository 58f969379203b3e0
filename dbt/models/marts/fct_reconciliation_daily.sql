-- Small: one row for each action and day. So it is computed whole.
{{ config(materialized='kept_table', key=['ads_account_id', 'action_id', 'day'], indexes=[{'columns': ['ads_account_id', 'action_id', 'day'], 'unique': true}]) }}

with days as (
    select * from {{ ref('stg_app__reconciliation_days') }}
),

accounts as (
    select * from {{ ref('stg_app__ads_accounts') }}
),

actions as (
    select * from {{ ref('stg_app__ads_actions') }}
),

final as (
    select
        days.ads_account_id,
        accounts.customer_id,
        accounts.name as account_name,
        accounts.lane,
        days.action_id,
        actions.name as action_name,
        days.day,
        days.sent,
        days.accepted,
        days.pending,
        days.refused,
        days.unknown,
        days.again,
        days.ended,
        days.unattributable,
        days.already_there,
        days.without_click,
        days.events,
        days.unanswered,
        days.google_successful as matched,
        days.google_failed,
        days.google_pending,
        days.google_successful + days.google_failed + days.google_pending - days.events as difference,
        case
            when days.google_successful is null then 'not_told'
            when days.google_successful + days.google_failed + days.google_pending < days.events then 'google_counts_fewer'
            when days.google_successful + days.google_failed + days.google_pending = days.events then 'equal'
            when days.google_successful + days.google_failed + days.google_pending <= days.events + days.unanswered
                then 'answers_were_lost'
            else 'others_upload_too'
        end as outcome,
        days.google_read_at
    from days
    inner join accounts on accounts.id = days.ads_account_id
    left join actions on actions.ads_account_id = days.ads_account_id and actions.action_id = days.action_id
)

select * from final
