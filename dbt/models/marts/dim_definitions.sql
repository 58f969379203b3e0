{{ config(materialized='kept_table', key=['definition_id'], indexes=[{'columns': ['definition_id'], 'unique': true}]) }}

with definitions as (
    select * from {{ ref('stg_app__custom_event_definitions') }}
),

revisions as (
    select
        definition_id,
        count(*) as revisions,
        max(number) filter (where state = 'published') as published_revision,
        max(published_at) filter (where state = 'published') as published_at
    from {{ ref('stg_app__definition_revisions') }}
    group by definition_id
),

assignments as (
    select
        definition_id,
        count(*) as assignments,
        count(*) filter (where is_active) as active_assignments
    from {{ ref('stg_app__site_custom_events') }}
    group by definition_id
),

final as (
    select
        definitions.id as definition_id,
        definitions.key as definition_key,
        definitions.name as definition_name,
        definitions.description,
        definitions.is_system,
        revisions.published_revision::bigint as published_revision,
        revisions.published_at,
        coalesce(revisions.revisions, 0) as revisions,
        coalesce(assignments.assignments, 0) as assignments,
        coalesce(assignments.active_assignments, 0) as active_assignments,
        definitions.created_at
    from definitions
    left join revisions on revisions.definition_id = definitions.id
    left join assignments on assignments.definition_id = definitions.id
)

select * from final
