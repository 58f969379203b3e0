with source as (
    select *, xmin as written_by from {{ source('app', 'custom_events') }}
),

renamed as (
    select
        id,
        occurred_at,
        site_id,
        order_id,
        written_by
    from source
)

select * from renamed
