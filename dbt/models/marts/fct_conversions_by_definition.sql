{{ config(materialized='kept_table', key=['site_id', 'day']) }}

with conversions as (
    select * from {{ ref('fct_conversions') }}
    where {{ only_changed('site_id', 'day') }}
),

assignments as (
    select * from {{ ref('dim_assignments') }}
),

final as (
    select
        assignments.definition_key,
        assignments.definition_name,
        conversions.site_id,
        assignments.site_name,
        assignments.assignment_label,
        conversions.campaign,
        conversions.currency,
        conversions.day,
        count(*) as matched,
        count(*) filter (where conversions.is_withdrawn) as withdrawn,
        count(*) filter (where conversions.outcome = 'withheld') as withheld,
        count(*) filter (where conversions.outcome = 'accepted') as accepted,
        count(*) filter (where conversions.outcome = 'unmatched') as unmatched,
        count(*) filter (where conversions.outcome in ('rejected', 'expired')) as lost,
        count(*) filter (where conversions.outcome in ('waiting', 'unknown')) as open,
        sum(conversions.value) filter (where not conversions.is_withdrawn) as value_matched,
        sum(conversions.value_at_google) as value_at_google
    from conversions
    inner join assignments on assignments.assignment_id = conversions.assignment_id
    group by 1, 2, 3, 4, 5, 6, 7, 8
)

select * from final

{% call changed_keys() %}
    select site_id, day from {{ ref('fct_conversions') }} where {{ is_newly_kept() }}
    union
    select site_id, cast(key as date) from {{ left_keys('fct_conversions', 'day') }} as departed
    union
    select conversions.site_id, conversions.day
    from {{ ref('dim_assignments') }} as assignments
    inner join {{ ref('fct_conversions') }} as conversions on conversions.assignment_id = assignments.assignment_id
    where {{ is_newly_kept('assignments') }}
{% endcall %}
