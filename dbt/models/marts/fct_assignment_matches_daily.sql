{{ config(materialized='kept_table', key=['site_id', 'day'], indexes=[{'columns': ['assignment_id', 'day'], 'unique': true}]) }}

with matches as (
    select * from {{ ref('fct_custom_events') }}
    where {{ only_changed('site_id', 'day') }}
),

shared as (
    select
        commerce_event_id,
        day,
        count(distinct assignment_id) as assignments
    from matches
    where not is_withdrawn
    group by commerce_event_id, day
),

final as (
    select
        matches.site_id,
        matches.assignment_id,
        matches.day,
        count(*) as matches,
        count(*) filter (where matches.is_withdrawn) as withdrawn,
        count(*) filter (where not matches.is_withdrawn and shared.assignments > 1) as overlapping,
        count(*) filter (where not matches.is_withdrawn and matches.withheld_reason is not null) as withheld
    from matches
    left join shared on shared.commerce_event_id = matches.commerce_event_id and shared.day = matches.day
    group by matches.site_id, matches.assignment_id, matches.day
)

select * from final

{% call changed_keys() %}
    select site_id, day from {{ ref('fct_custom_events') }} where {{ is_newly_kept() }}
    union
    select site_id, cast(key as date) from {{ left_keys('fct_custom_events', 'day') }} as departed
{% endcall %}
