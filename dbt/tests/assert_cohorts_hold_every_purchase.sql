-- Cohorts hold each paid order of a known customer once, and no more customers in a month than the cohort has.
select cohorts.orders, purchases.orders as expected
from (select coalesce(sum(orders), 0) as orders from {{ ref('fct_customer_cohorts') }}) as cohorts
cross join (
    select count(*) as orders from {{ ref('fct_orders') }} where paid_day is not null and not is_test and customer_key is not null
) as purchases
where cohorts.orders != purchases.orders
union all
select customers, cohort_customers
from {{ ref('fct_customer_cohorts') }}
where customers > cohort_customers
