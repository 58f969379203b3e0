with source as (
    select * from {{ source('app', 'order_consents') }}
),

renamed as (
    select
        ---------- ids
        site_id,
        order_id,
        ---------- facts
        ad_user_data,
        ad_personalization,
        source,
        written_by,
        ---------- times
        said_at,
        updated_at
    from source
)

select * from renamed
