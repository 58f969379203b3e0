with source as (
    select *, xmin as written_by from {{ source('app', 'customers') }}
),

renamed as (
    select
        site_id,
        customer_key,
        written_by
    from source
)

select * from renamed
