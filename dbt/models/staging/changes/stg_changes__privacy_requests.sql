select raw_id, xmin as written_by from {{ source('app', 'privacy_requests') }}
