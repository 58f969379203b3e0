with conversions as (
    select * from {{ ref('int_conversions') }}
),

assignments as (
    select * from {{ ref('stg_app__site_custom_events') }}
),

definitions as (
    select * from {{ ref('stg_app__custom_event_definitions') }}
),

sites as (
    select * from {{ ref('dim_sites') }}
),

zones as (
    select * from {{ ref('int_zones') }}
),

final as (
    select
        definitions.key as definition_key,
        definitions.name as definition_name,
        conversions.site_id,
        sites.site_name,
        assignments.label as assignment_label,
        conversions.currency,
        {{ local_day('conversions.conversion_at', 'zones') }} as day,
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
    inner join assignments on assignments.id = conversions.assignment_id
    inner join definitions on definitions.id = assignments.definition_id
    inner join sites on sites.site_id = conversions.site_id
    left join zones on zones.zone = sites.time_zone
    group by 1, 2, 3, 4, 5, 6, 7
)

select * from final
