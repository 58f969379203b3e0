select site_id, received_at, xmin as written_by from {{ source('landing', 'refused_events') }}
