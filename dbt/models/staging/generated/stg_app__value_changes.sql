with source as (
    select * from {{ source('app', 'value_changes') }}
),

renamed as (
    select
        ---------- ids
        site_id,
        order_id,
        ---------- times
        changed_at
    from source
)

select * from renamed
