select id, created_at, custom_event_id, kind, xmin as written_by from {{ source('app', 'conversion_uploads') }}
