with source as (
    select * from {{ source('app', 'customers') }}
),

renamed as (
    select
        ---------- ids
        site_id,
        customer_key,
        ---------- facts
        email_sha256,
        phone_sha256,
        ---------- times
        first_seen_at,
        updated_at
    from source
)

select * from renamed
