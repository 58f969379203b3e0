"""From bytes to a verdict that always comes: what cannot be read is parked with the path of the field, never its value."""

import re
from collections.abc import Callable

import msgspec

from custom_events.errors import NotUnderstood
from custom_events.values.deliveries import RawDelivery, SiteContext, Understood, parked

Handler = Callable[[RawDelivery, SiteContext], Understood]

MAX_DETAIL_CHARS = 300

# Postgres holds no NUL in text or jsonb, and one such row fails its whole batch. An even number of backslashes before
# the escape means that the escape is real.
_NUL_ESCAPE = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def guarded(handler: Handler, delivery: RawDelivery, site: SiteContext) -> Understood:
    """The handler's verdict; parked as unreadable_body, wrong_shape or the handler's own reason when it cannot give one."""
    # Most bodies hold no backslash at all, and looking for one byte costs a tenth of looking for six.
    if b"\\" in delivery.body and b"\\u0000" in delivery.body:
        delivery = msgspec.structs.replace(delivery, body=_NUL_ESCAPE.sub(rb"\1\\ufffd", delivery.body))
    try:
        return handler(delivery, site)
    except msgspec.ValidationError as error:
        return parked("wrong_shape", str(error)[:MAX_DETAIL_CHARS])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return parked("unreadable_body", str(error)[:MAX_DETAIL_CHARS])
    except NotUnderstood as error:
        return parked(error.reason, error.sentence[:MAX_DETAIL_CHARS])
    except (ValueError, OverflowError, ArithmeticError, RecursionError) as error:
        # Values that no check above named (a year 0, nesting without end): parked like the rest, by the kind of error.
        return parked("wrong_shape", f"A value is out of range ({type(error).__name__})")
