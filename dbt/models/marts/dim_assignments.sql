{{ config(materialized='kept_table', key=['assignment_id'], indexes=[{'columns': ['assignment_id'], 'unique': true}]) }}

with assignments as (
    select * from {{ ref('stg_app__site_custom_events') }}
),

definitions as (
    select * from {{ ref('stg_app__custom_event_definitions') }}
),

sites as (
    select * from {{ ref('int_sites') }}
),

revisions as (
    select
        assignment_id,
        count(*) as revisions,
        max(number) filter (where state = 'published') as published_revision,
        max(published_at) filter (where state = 'published') as published_at
    from {{ ref('stg_app__assignment_revisions') }}
    group by assignment_id
),

final as (
    select
        assignments.id as assignment_id,
        assignments.site_id,
        sites.site_name,
        assignments.definition_id,
        definitions.key as definition_key,
        definitions.name as definition_name,
        assignments.label as assignment_label,
        assignments.is_active,
        revisions.published_revision::bigint as published_revision,
        revisions.published_at,
        coalesce(revisions.revisions, 0) as revisions,
        assignments.created_at
    from assignments
    inner join definitions on definitions.id = assignments.definition_id
    inner join sites on sites.site_id = assignments.site_id
    left join revisions on revisions.assignment_id = assignments.id
)

select * from final
