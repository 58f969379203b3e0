{#- Within changed_keys(): days of a site (0 where the address named none) on which a delivery came, or a commerce event, that is new or changed. -#}
{% macro days_of_new_arrivals() -%}
    select coalesce(deliveries.site_id, 0), {{ local_day('deliveries.received_at', 'sites') }}
    from (
        select site_id, received_at from {{ ref('stg_changes__raw_outcomes') }} where {{ is_new('written_by') }}
        union all
        select site_id, received_at from {{ ref('stg_changes__duplicate_deliveries') }} where {{ is_new('written_by') }}
        union all
        select site_id, received_at from {{ ref('stg_changes__refused_events') }} where {{ is_new('written_by') }}
        union all
        -- not understood yet, or put back
        select raw.site_id, raw.received_at
        from {{ ref('stg_landing__raw_queue') }} as waiting
        inner join {{ ref('stg_landing__raw_events') }} as raw on raw.landed_week = waiting.landed_week and raw.id = waiting.raw_id
    ) as deliveries
    left join {{ ref('int_sites') }} as sites on sites.site_id = deliveries.site_id
    union
    select site_id, arrived_day from {{ ref('fct_commerce_events') }} where {{ is_newly_kept() }}
    union
    select site_id, cast(key as date) from {{ left_keys('fct_commerce_events', 'arrived_day') }} as departed
{%- endmacro %}
