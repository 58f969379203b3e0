"""Behaviours that Google does not document, or that changed lately: each is a choice here, made by name."""

import msgspec


class Switches(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The defaults are what the sources of docs/reference/google-ads.md 8 support best; docs/reference/google-ads.md 7 lists the doubts."""

    # ---------------------------------------------------------------- who may call
    tokens_strict: bool = False
    """Refuse bearer tokens that were neither seeded nor given out by the token endpoint."""
    legacy_developer_token_required: bool = False
    """Before 9 September 2026 a request without developer token was refused."""
    not_allowlisted_per_row: bool = False
    """Answer CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE in each row instead of for the request."""
    failed_requests_use_quota: bool = True
    """A refused request still costs one operation."""
    customer_requests_per_second: float = 0.0
    """Refill of the token bucket per customer, on the sandbox's clock; 0 is no limit."""
    customer_request_burst: int = 10
    """Requests a full bucket allows at once."""

    # ---------------------------------------------------------------- conversions
    future_conversion_refused: bool = True
    """A conversion time in the future gives DateError.LATER_THAN_MAXIMUM_DATE; off: accepted."""
    braid_with_user_identifiers_refused: bool = True
    """user_identifiers beside gbraid or wbraid give VALUE_MUST_BE_UNSET, as practitioners report."""
    order_id_separates_same_click_and_time: bool = True
    """Two conversions of one click at one time are different when both have order ids and these differ."""
    negative_value_refused: bool = True
    """A negative or not finite value gives FieldError.INVALID_VALUE."""
    ad_personalization_refused: bool = True
    """consent.ad_personalization set on a conversion gives VALUE_MUST_BE_UNSET."""
    cart_quantity_checked: bool = True
    """A cart item with a quantity below 1 gives FieldError.INVALID_VALUE."""
    click_not_found_in_row: bool = False
    """Rows with user identifiers only that match nobody fail; off: accepted and counted in diagnostics."""

    # ---------------------------------------------------------------- adjustments
    missing_conversion_refused_at_once: bool = False
    """Before 9 September 2024 CONVERSION_NOT_FOUND came in the row; since then the adjustment waits up to 24 hours."""
    wbraid_conversions_adjustable: bool = False
    """The guide says that adjustments work with gclids and gbraids, not with wbraids."""
    data_manager_conversions_adjustable: bool = True
    """Conversions sent through the Data Manager API can be adjusted through the Google Ads API."""
    order_ids_shared_between_apis: bool = True
    """An order id that one API has recorded is a repetition for the other one; off: each has its own, and the same order sent to both
    counts twice."""

    # ---------------------------------------------------------------- Data Manager
    data_manager_names_bad_rows: bool = True
    """A refused request lists its bad events; off: it only says why, and the sender has to bisect."""
    data_manager_accepts_zero_value: bool = True
    """Value 0 (the only way to take a conversion back) is accepted; off: INVALID_EVENT."""
    data_manager_checks_click_account_at_once: bool = False
    """A click of another account refuses the request (INVALID_AD_IDENTIFIER_FOR_ACCOUNT); off: told in the status."""
    data_manager_repeated_id_in_request_refused: bool = True
    """The second event with one transaction id in one request counts as DUPLICATE_TRANSACTION_ID; off: overwrites."""
    data_manager_requests_per_minute: int = 300
    """IngestionService, per project."""
    data_manager_requests_per_day: int = 100_000
    """IngestionService, per project."""
