with source as (
    select id, "at", actor, action, subject, detail, source, via, request_id, site_id from {{ source('app', 'audit_entries') }}
),

renamed as (
    select
        ---------- ids
        id,
        request_id,
        site_id,
        ---------- facts
        actor,
        action,
        subject,
        detail,
        source,
        via,
        ---------- times
        "at"
    from source
)

select * from renamed
