with source as (
    select *, xmin as written_by from {{ source('app', 'event_keys') }}
),

renamed as (
    select
        site_id,
        event_id,
        occurred_at,
        written_by
    from source
)

select * from renamed
