with source as (
    select *, xmin as written_by from {{ source('app', 'conversion_uploads') }}
),

renamed as (
    select
        id,
        created_at,
        custom_event_id,
        kind,
        site_id,
        order_id,
        written_by
    from source
)

select * from renamed
