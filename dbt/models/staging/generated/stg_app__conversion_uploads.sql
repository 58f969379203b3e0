with source as (
    select * from {{ source('app', 'conversion_uploads') }}
),

renamed as (
    select
        ---------- ids
        id,
        site_id,
        assignment_id,
        custom_event_id,
        ads_account_id,
        ads_action_id,
        transaction_id,
        order_id,
        click_id,
        request_id,
        ---------- facts
        kind,
        sequence,
        value,
        currency,
        click_kind,
        email_sha256,
        phone_sha256,
        ad_user_data,
        ad_personalization,
        state,
        reason,
        sentence,
        attempts,
        click_dropped,
        new_customer,
        environment,
        cart,
        waits,
        held_reason,
        held_sentence,
        other_clicks,
        unsettled_lane,
        ---------- times
        created_at,
        conversion_at,
        adjusted_at,
        clicked_at,
        not_before,
        deadline_at,
        lease_until,
        settled_at,
        updated_at,
        held_until
    from source
)

select * from renamed
