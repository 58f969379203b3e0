with source as (
    select * from {{ source('landing', 'receipts') }}
),

renamed as (
    select
        ---------- facts
        received,
        landed,
        duplicates,
        refused,
        ---------- times
        "at"
    from source
)

select * from renamed
