select
    ---------- facts
    received,
    landed,
    duplicates,
    refused,
    ---------- times
    "at"
from {{ source('landing', 'receipts') }}
