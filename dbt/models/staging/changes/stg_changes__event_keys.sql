select event_id, occurred_at, xmin as written_by from {{ source('app', 'event_keys') }}
