with source as (
    select * from {{ source('app', 'upload_stops') }}
),

renamed as (
    select
        ---------- ids
        ads_account_id,
        ---------- facts
        lane,
        concerns,
        code,
        reason,
        ---------- times
        since,
        recheck_at,
        until
    from source
)

select * from renamed
