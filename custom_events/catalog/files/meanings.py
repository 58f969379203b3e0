"""What each setting means, in a sentence: for the reference page and for editors."""

import msgspec

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
    "priority": "Within the group; the higher wins.",
    "click_window_days": "Days from click to event; at most those of the ads action.",
    "delay_minutes": "How long to wait before it is sent.",
    "consent_needed": "granted: only with a yes; not_denied: unless there was a no.",
    "valid_from": "First day, in the site's time zone; null: always.",
    "valid_until": "Last day, included; null: for ever.",
    "ads_action": "`<customer id>/<action id>`; null: recorded, not sent.",
    "tell": "What Google is told beside the conversion.",
    "assignments": "The definitions that apply to the site, with their overrides.",
    "platform": "Whose webhooks they are. It cannot be changed.",
    "shop_domain": "Host name of the shop, in lower case; a Shopify site is found by it.",
    "currency": "ISO 4217 code; conditions in another one are warned about.",
    "time_zone": "IANA name; calendar periods and hours use it.",
    "settings": "Platform settings.",
    "lane": "Which of Google's APIs carries its conversions.",
    "login_customer_id": "Manager account through which it is reached, ten digits.",
    "actions": "Conversion actions by Google's id, as they are set up there.",
    "action_type": "Google's type name.",
    "ActionEntry.click_window_days": "Click-through window at Google, 1 to 90 days.",
    "ActionEntry.name": "Its name at Google.",
    "AccountFile.currency": "ISO 4217 code of the account.",
    "AccountFile.time_zone": "IANA name of the account's zone.",
    "SiteFile.active": "false: deliveries are refused (403). Shopify deletes a webhook after 8 failures in a row, WooCommerce disables "
    "one after 6: to stop only what Google gets, make its assignments inactive.",
    "one_per_click": "true: Google counts one conversion for each click.",
}


def meaning(kind: type[msgspec.Struct] | str, setting: str) -> str:
    """Of a setting of one of the files' structs (or its name); empty for those that are parts of a setting."""
    own = kind if isinstance(kind, str) else kind.__name__
    return MEANINGS.get(f"{own}.{setting}") or MEANINGS.get(setting, "")
