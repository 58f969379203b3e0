{{ config(materialized='kept_table', key=['site_id'], indexes=[{'columns': ['site_id'], 'unique': true}]) }}

with sites as (
    select * from {{ ref('stg_app__sites') }}
),

assignments as (
    select
        site_id,
        count(*) filter (where is_active) as active_assignments
    from {{ ref('stg_app__site_custom_events') }}
    group by site_id
),

final as (
    select
        sites.id as site_id,
        sites.name as site_name,
        sites.platform,
        sites.shop_domain,
        sites.currency,
        sites.time_zone,
        sites.is_active,
        coalesce(assignments.active_assignments, 0) as active_assignments,
        sites.created_at
    from sites
    left join assignments on assignments.site_id = sites.id
)

select * from final
