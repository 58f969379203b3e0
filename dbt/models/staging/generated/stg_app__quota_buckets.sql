with source as (
    select * from {{ source('app', 'quota_buckets') }}
),

renamed as (
    select
        ---------- facts
        name,
        tokens,
        pace,
        hours,
        ---------- times
        refilled_at,
        history_until
    from source
)

select * from renamed
