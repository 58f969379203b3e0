with source as (
    select id, occurred_at, site_id, type, key, evidence_at, order_id, customer_key, amount, currency, is_test, facts, raw_id, raw_landed_week, created_at, is_undone from {{ source('app', 'commerce_events') }}
),

renamed as (
    select
        ---------- ids
        id,
        site_id,
        key,
        order_id,
        customer_key,
        raw_id,
        ---------- facts
        type,
        amount,
        currency,
        is_test,
        facts,
        is_undone,
        ---------- times
        occurred_at,
        evidence_at,
        raw_landed_week,
        created_at
    from source
)

select * from renamed
