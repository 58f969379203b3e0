-- The grain of fct_reconciliation_daily: an action's name joined twice would double the day's figures.
select ads_account_id, action_id, day, count(*) as rows_found
from {{ ref('fct_reconciliation_daily') }}
group by ads_account_id, action_id, day
having count(*) > 1
