-- No conversion is lost between the ledger and the report by definition.
with ledger as (select count(*) as n from {{ ref('fct_conversions') }}),

report as (select coalesce(sum(matched), 0) as n from {{ ref('fct_conversions_by_definition') }})

select ledger.n as in_ledger, report.n as in_report
from ledger
cross join report
where ledger.n != report.n
