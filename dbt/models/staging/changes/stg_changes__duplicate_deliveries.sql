select site_id, received_at, xmin as written_by from {{ source('landing', 'duplicate_deliveries') }}
