with source as (
    select * from {{ source('app', 'audit_entries') }}
),

renamed as (
    select
        ---------- ids
        id,
        ---------- facts
        actor,
        action,
        subject,
        detail,
        ---------- times
        at
    from source
)

select * from renamed
