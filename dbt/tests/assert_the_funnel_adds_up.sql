-- Promise 6 (docs/architecture.md 5) by day and site: what was matched is queued or withheld, what was queued has a outcome.
-- (Raw events still waiting to be understood are the only difference between landed and the three outcomes.)
select *
from {{ ref('fct_funnel_daily') }}
where received != landed + refused
    or landed < understood + parked + ignored
    or matched != queued + withheld
    or queued != accepted + unmatched + rejected + waiting + expired + unknown
