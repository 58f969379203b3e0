with source as (
    select raw_id, site_id, xmin as written_by from {{ source('app', 'privacy_requests') }}
),

renamed as (
    select
        raw_id,
        site_id,
        written_by
    from source
)

select * from renamed
