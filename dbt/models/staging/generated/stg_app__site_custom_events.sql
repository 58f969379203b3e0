with source as (
    select * from {{ source('app', 'site_custom_events') }}
),

renamed as (
    select
        ---------- ids
        id,
        site_id,
        definition_id,
        ---------- facts
        label,
        is_active,
        ---------- times
        created_at,
        updated_at
    from source
)

select * from renamed
