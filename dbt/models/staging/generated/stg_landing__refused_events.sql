with source as (
    select id, received_at, site_id, platform, reason, topic, body_bytes from {{ source('landing', 'refused_events') }}
),

renamed as (
    select
        ---------- ids
        id,
        site_id,
        ---------- facts
        platform,
        reason,
        topic,
        body_bytes,
        ---------- times
        received_at
    from source
)

select * from renamed
