select site_id, subject, xmin as written_by from {{ source('app', 'clicks') }}
