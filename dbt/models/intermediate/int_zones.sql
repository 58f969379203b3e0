-- Each time zone with the beginnings of its offsets and the offsets, in order, for local_day().
with offsets as (
    select * from {{ ref('stg_app__zone_offsets') }}
),

zones as (
    select
        zone,
        array_agg(starts_at order by starts_at) as starts,
        array_agg(utc_offset order by starts_at) as offsets
    from offsets
    group by zone
)

select * from zones
