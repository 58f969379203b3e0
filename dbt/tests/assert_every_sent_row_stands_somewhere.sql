-- sent = accepted + pending + refused + unknown + again + ended, on every day.
select ads_account_id, action_id, day
from {{ ref('fct_reconciliation_daily') }}
where sent != accepted + pending + refused + unknown + again + ended
