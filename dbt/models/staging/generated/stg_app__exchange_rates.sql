select
    ---------- facts
    currency,
    reporting_currency,
    rate,
    source,
    ---------- times
    day,
    loaded_at
from {{ source('app', 'exchange_rates') }}
