with source as (
    select * from {{ source('app', 'upload_keys') }}
),

renamed as (
    select
        ---------- ids
        ads_action_id,
        transaction_id,
        upload_id,
        ---------- facts
        sequence,
        ---------- times
        created_at
    from source
)

select * from renamed
