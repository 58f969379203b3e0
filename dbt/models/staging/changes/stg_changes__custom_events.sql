select id, occurred_at, xmin as written_by from {{ source('app', 'custom_events') }}
