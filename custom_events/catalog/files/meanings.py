"""What each setting means, in a sentence: for the reference page and for editors."""

import msgspec

from custom_events.values.definitions import ConsentNeeded

# What becomes of a customer's data when nobody has said whether they allow its use for ads; a refusal keeps all of it here.
CONSENT_POLICIES: dict[ConsentNeeded, str] = {
    ConsentNeeded.GRANTED: "nothing goes without a yes",
    ConsentNeeded.NOT_DENIED: "everything goes unless there was a no",
    ConsentNeeded.GRANTED_IN_EUROPE: "a customer who may be in Europe is held until somebody says; others as not_denied",
    ConsentNeeded.CLICK_ONLY_IN_EUROPE: "of a customer who may be in Europe the click goes, hashed e-mail and phone wait for a yes, "
    "and who has no click is held; others as not_denied",
}

MEANINGS: dict[str, str] = {
    "name": "Name for people.",
    "description": "What it means, for people.",
    "published": "false: nothing of it applies; what is written is kept as a draft.",
    "active": "false: it matches nothing until it is true again.",
    "definition": "Key of the definition: a file's name in definitions/, or one that ships with the product.",
    "label": "Tells assignments of one definition on one site apart.",
    "also": "A tree of conditions added to the definition's own.",
    "trigger": "Types of events it waits for.",
    "conditions": "A tree that must hold for the event; null: none.",
    "threshold": "How many, or how much, over time; null: none.",
    "dedup": "What counts as the same occurrence.",
    "value": "The conversion's value.",
    "group": "Of the assignments of a site in one group only the one with the highest priority fires; null: none.",
    "priority": "Within the group; the higher wins. Equal ones are warned about.",
    "click_window_days": "Days from click to event; at most those of the ads action.",
    "delay_minutes": "How long to wait before it is sent.",
    "consent_needed": "; ".join(f"{policy}: {CONSENT_POLICIES[policy]}" for policy in ConsentNeeded) + ".",
    "valid_from": "First day (2026-01-31), in the site's time zone; null: always.",
    "valid_until": "Last day, included; null: for ever.",
    "ads_action": "`<customer id>/<action id>`; null: recorded, not sent.",
    "extra_data": "What Google is told beside the conversion.",
    "assignments": "The definitions that apply to the site, with their overrides.",
    "platform": "Whose webhooks they are. It cannot be changed.",
    "shop_domain": "Host name of the shop, in lower case; a Shopify site is found by it.",
    "currency": "ISO 4217 code; conditions and thresholds in another one are warned about.",
    "time_zone": "IANA name, exactly as the time zone database writes it; calendar periods, hours and reports use it.",
    "settings": "Platform settings.",
    "lane": "Which of Google's APIs carries its conversions.",
    "login_customer_id": "Manager account through which it is reached, ten digits.",
    "actions": "Conversion actions by Google's id, as they are set up there.",
    "action_type": "Google's type name.",
    "ActionEntry.click_window_days": "Click-through window at Google, 1 to 90 days.",
    "ActionEntry.name": "Its name at Google.",
    "AccountFile.currency": "ISO 4217 code of the account.",
    "AccountFile.time_zone": "IANA name of the account's zone.",
    "SiteFile.active": "false: what it sends is taken and understood, and matches nothing; once it is active again, a replay "
    "matches what came meanwhile. A site that was removed (`custom-events site remove`) is inactive too; true brings it back.",
    "SiteSettings.default_country": "ISO 3166 code, for national phone numbers without an address.",
    "SiteSettings.cod_paid_when": "WooCommerce cash on delivery counts as paid when the order is `processing`, or when it is `completed`, or "
    "when it has one of the shop's own statuses: a list, such as `[delivered]`.",
    "SiteSettings.subscription_sources": "How the source_name of a Shopify order begins that renews a subscription.",
    "SiteSettings.take_test_orders": "true: test orders and payments in test mode are taken as real ones, to try a store out. false: "
    "they match nothing.",
    "SiteSettings.take_sub_orders": "WooCommerce: true: a vendor's part of another order, as marketplaces make it, is an order of its own. "
    "false: it is ignored, since the whole order counts.",
    "SiteSettings.payment_lost": "What becomes of the conversions of an order that was paid and whose payment then failed, was voided or is "
    "disputed, without a refund. `retract`: they are taken back (where Google allows no return after the hours of "
    "CUSTOM_EVENTS_RETRACT_PAYMENT_LOST_AFTER_H); `hold`: a person decides, `uploads release` lets it go; `keep`: nothing. It holds from "
    "the next change of the order on.",
    "SiteSettings.payment_lost_statuses": "Statuses of WooCommerce plugins that mean the same as `failed` and `on-hold` after a payment: "
    "disputes, chargebacks.",
    "SiteSettings.consent_default": "Consent where an order says nothing.",
    "SiteSettings.transaction_ids": "By what the site's conversions are known at Google, so that a tag on the thank-you page may use the same: "
    "`site_and_id` (our number of the site, a dash, the order's id), `order_number` (what people call the order, without `#`) or `bare_id` (the "
    "store's own id). A change is for orders made from then on. Refused where another site without its number in its ids feeds the same ads action.",
    "SiteSettings.transaction_ids_before": "What it was before the last change, for orders made before it. Written by us.",
    "SiteSettings.transaction_ids_since": "When it was changed last. Written by us.",
    "one_per_click": "true: Google counts one conversion for each click.",
}


def meaning(kind: type[msgspec.Struct] | str, setting: str) -> str:
    """Of a setting of one of the files' structs (or its name); empty for those that are parts of a setting."""
    own = kind if isinstance(kind, str) else kind.__name__
    return MEANINGS.get(f"{own}.{setting}") or MEANINGS.get(setting, "")
