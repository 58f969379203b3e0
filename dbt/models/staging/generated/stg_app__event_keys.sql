with source as (
    select * from {{ source('app', 'event_keys') }}
),

renamed as (
    select
        ---------- ids
        site_id,
        key,
        event_id,
        ---------- facts
        parts,
        ---------- times
        occurred_at,
        evidence_at
    from source
)

select * from renamed
