with source as (
    select * from {{ source('app', 'upload_attempts') }}
),

renamed as (
    select
        ---------- ids
        upload_id,
        request_id,
        ---------- facts
        verdict,
        code,
        sentence,
        ---------- times
        "at"
    from source
)

select * from renamed
