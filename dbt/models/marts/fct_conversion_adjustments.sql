{{ config(
    materialized='kept_table',
    key=['created_at', 'upload_id'],
    indexes=[{'columns': ['upload_id'], 'unique': true}, {'columns': ['custom_event_id']}, {'columns': ['site_id', 'created_day']}],
    tells={'created_day': 'created_day'},
) }}

with adjustments as (
    select * from {{ ref('stg_app__conversion_uploads') }}
    where kind != 'conversion'
        and {{ only_changed('created_at', 'id') }}
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

dated as (
    select
        adjustments.*,
        assignments.definition_id,
        assignments.definition_key,
        {{ local_day('adjustments.conversion_at', 'sites') }} as day,
        {{ local_day('adjustments.created_at', 'sites') }} as created_day
    from adjustments
    inner join assignments on assignments.assignment_id = adjustments.assignment_id
    inner join sites on sites.site_id = adjustments.site_id
),

final as (
    select
        dated.id as upload_id,
        dated.site_id,
        dated.assignment_id,
        dated.definition_id,
        dated.definition_key,
        dated.custom_event_id,
        dated.order_id,
        dated.ads_account_id,
        dated.ads_action_id,
        dated.transaction_id,
        dated.sequence::bigint as sequence,
        dated.kind,
        dated.state,
        dated.reason,
        dated.value,
        dated.currency,
        {{ reporting_currency() }} as reporting_currency,
        {{ in_reporting('dated.value', 'dated.currency', 'rates') }} as value_in_reporting,
        {{ lacks_rate('dated.value', 'dated.currency', 'rates') }} as lacks_rate,
        dated.attempts::bigint as attempts,
        {{ seconds_between('dated.created_at', 'dated.settled_at') }} as seconds_to_settle,
        dated.conversion_at,
        dated.day,
        dated.adjusted_at,
        dated.created_at,
        dated.created_day,
        dated.settled_at
    from dated
    left join rates on rates.currency = dated.currency and rates.day = dated.day
)

select * from final

{% call changed_keys() %}
    select created_at, id from {{ ref('stg_changes__conversion_uploads') }} where kind != 'conversion' and {{ is_new('written_by') }}
    union
    select created_at, upload_id from {{ this }} where site_id in (select site_id from {{ ref('int_sites') }} where {{ is_newly_kept() }})
    union
    select created_at, upload_id from {{ this }} where day::text in {{ days_of_new_rates() }}
{% endcall %}
