-- fct_conversions by the names of the ledger.
with conversions as (
    select * from {{ ref('fct_conversions') }}
),

renamed as (
    select
        *,
        upload_id as id
    from conversions
)

select * from renamed
