{{ config(
    materialized='kept_table',
    key=['occurred_at', 'custom_event_id'],
    indexes=[
        {'columns': ['custom_event_id'], 'unique': true},
        {'columns': ['commerce_event_id']},
        {'columns': ['site_id', 'day']},
    ],
    tells={'day': 'day', 'upload': 'upload_id'},
) }}

with custom_events as (
    select * from {{ ref('stg_app__custom_events') }}
    where {{ only_changed('occurred_at', 'id') }}
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
        custom_events.*,
        assignments.definition_id,
        assignments.definition_key,
        {{ local_day('custom_events.occurred_at', 'sites') }} as day
    from custom_events
    inner join assignments on assignments.assignment_id = custom_events.assignment_id
    inner join sites on sites.site_id = custom_events.site_id
),

final as (
    select
        dated.id as custom_event_id,
        dated.site_id,
        dated.assignment_id,
        dated.definition_id,
        dated.definition_key,
        dated.definition_revision_id,
        dated.assignment_revision_id,
        dated.commerce_event_id,
        dated.order_id,
        dated.customer_key,
        dated.upload_id,
        dated.value,
        dated.currency,
        {{ reporting_currency() }} as reporting_currency,
        {{ in_reporting('dated.value', 'dated.currency', 'rates') }} as value_in_reporting,
        {{ lacks_rate('dated.value', 'dated.currency', 'rates') }} as lacks_rate,
        dated.withdrawn_at is not null as is_withdrawn,
        dated.withdrawn_reason,
        dated.withheld_reason,
        dated.occurred_at,
        dated.day,
        dated.withdrawn_at,
        dated.created_at
    from dated
    left join rates on rates.currency = dated.currency and rates.day = dated.day
)

select * from final

{% call noticed_rows() %}
    select occurred_at, id from {{ ref('stg_changes__custom_events') }} where {{ is_new('written_by') }}
{% endcall %}

{% call changed_keys() %}
    select occurred_at, id from kept_noticed
    union
    select occurred_at, custom_event_id from {{ this }} where custom_event_id in (select id from kept_noticed)
    union
    select occurred_at, custom_event_id from {{ this }} where site_id in (select site_id from {{ ref('int_sites') }} where {{ is_newly_kept() }})
    union
    select occurred_at, custom_event_id from {{ this }} where day::text in {{ days_of_new_rates() }}
    union
    select occurred_at, custom_event_id from {{ this }}
    where occurred_at < (select coalesce(min(occurred_at), 'infinity') from {{ ref('stg_app__custom_events') }})
{% endcall %}
