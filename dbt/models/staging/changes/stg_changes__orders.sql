select site_id, order_id, xmin as written_by from {{ source('app', 'orders') }}
