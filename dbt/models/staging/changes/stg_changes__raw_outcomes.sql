select site_id, received_at, xmin as written_by from {{ source('app', 'raw_outcomes') }}
