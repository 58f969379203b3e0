"""What a value must look like: times with offset, resource names, hashes, order ids, currencies."""

import re
from datetime import datetime
from functools import lru_cache

ORDER_ID_MAX_CHARACTERS = 64  # support.google.com/google-ads/answer/6386790
SHA256_BYTES = 32
SHA256_HEX_CHARACTERS = 64
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", re.ASCII)
_ACTION = re.compile(r"customers/\d+/conversionActions/(\d+)", re.ASCII)
_CUSTOMER_ID = re.compile(r"\d{10}", re.ASCII)
# An order number is often ten digits or more, so bare digits are no phone number: a plus or the separators make one.
_PERSONAL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|\+\d[\d\s().-]{6,}|\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}", re.ASCII)

# ISO 4217, active codes of currencies in circulation.
_CURRENCY_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK
SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD
XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CURRENCY_CODES.split())


def instant(text: str) -> int | None:
    """Seconds since 1970 of "yyyy-mm-dd hh:mm:ss+hh:mm"; None for anything else (T, no zone, +0000, no seconds)."""
    if _DATE_TIME.fullmatch(text) is None:
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:  # month 13, or the year 0
        return None


@lru_cache(maxsize=4096)
def action_id(resource_name: str) -> str | None:
    """The id of a conversion action's resource name. The customer in it does not count, as with Google."""
    match = _ACTION.fullmatch(resource_name)
    return None if match is None else match[1]


def is_sha256_hex(text: str) -> bool:
    """64 hexadecimal characters, upper or lower case."""
    if len(text) != SHA256_HEX_CHARACTERS:
        return False
    try:
        return len(bytes.fromhex(text)) == SHA256_BYTES  # shorter when there are spaces, which fromhex skips
    except ValueError:
        return False


def is_customer_id(text: str) -> bool:
    """Ten digits without dashes."""
    return _CUSTOMER_ID.fullmatch(text) is not None


def looks_personal(order_id: str) -> bool:
    """An e-mail address or a phone number in the place of an order id."""
    return _PERSONAL.fullmatch(order_id) is not None
