with source as (
    select site_id, subject, xmin as written_by from {{ source('app', 'clicks') }}
),

renamed as (
    select
        site_id,
        subject,
        written_by
    from source
)

select * from renamed
