with source as (
    select raw_id, landed_week, site_id, kind, received_at, due_at, done_at, done_by, note, counts, started_at, waiting from {{ source('app', 'privacy_requests') }}
),

renamed as (
    select
        ---------- ids
        raw_id,
        site_id,
        ---------- facts
        kind,
        done_by,
        note,
        counts,
        waiting,
        ---------- times
        landed_week,
        received_at,
        due_at,
        done_at,
        started_at
    from source
)

select * from renamed
