"""How SQL reads the facts of a commerce event: what is JSON and what is packed, together."""


def facts_of(row: str) -> str:
    """Column `facts` of a row of commerce_events, for `values.events.from_json`. SQL itself may look into what is not packed: clicks, consent,
    campaign, cart, subscription, refund, and a customer without a key."""
    return f"concat_ws(chr(30), {row}.facts, encode({row}.packed, 'base64')) AS facts"
