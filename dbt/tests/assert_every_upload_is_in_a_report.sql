-- Upload quality and configuration hold each conversion, adjustment and custom event once.
with counts as (
    select
        (select coalesce(sum(uploads), 0) from {{ ref('fct_upload_quality_daily') }}) as uploads,
        (select count(*) from {{ ref('fct_conversions') }}) + (select count(*) from {{ ref('fct_conversion_adjustments') }}) as ledger,
        (select coalesce(sum(matches), 0) from {{ ref('fct_configuration_use') }}) as matches,
        (select count(*) from {{ ref('fct_custom_events') }}) as custom_events
)

select * from counts
where uploads != ledger or matches != custom_events
