with source as (
    select *, xmin as written_by from {{ source('app', 'orders') }}
),

renamed as (
    select
        site_id,
        order_id,
        customer_key,
        written_by
    from source
)

select * from renamed
