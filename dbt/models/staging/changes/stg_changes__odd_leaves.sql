select site_id, first_seen_at, xmin as written_by from {{ source('app', 'odd_leaves') }}
