with source as (
    select landed_week, id, received_at, site_id, topic, dedup_key, delivery_id, event_id, triggered_at, api_version, signature, body_bytes from {{ source('landing', 'raw_events') }}
),

renamed as (
    select
        ---------- ids
        id,
        site_id,
        dedup_key,
        delivery_id,
        event_id,
        ---------- facts
        topic,
        api_version,
        signature,
        body_bytes,
        ---------- times
        landed_week,
        received_at,
        triggered_at
    from source
)

select * from renamed
