select site_id, customer_key, xmin as written_by from {{ source('app', 'customers') }}
