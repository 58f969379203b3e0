{{ config(materialized='kept_table', key=['site_id'], indexes=[{'columns': ['site_id'], 'unique': true}]) }}

with sites as (
    select * from {{ ref('stg_app__sites') }}
),

zones as (
    select * from {{ ref('int_zones') }}
),

final as (
    select
        sites.id as site_id,
        sites.name as site_name,
        sites.currency,
        sites.time_zone,
        zones.starts,
        zones.offsets
    from sites
    left join zones on zones.zone = sites.time_zone
)

select * from final
