"""What currencies are divided into."""

from decimal import Decimal

USUAL_MINOR_DIGITS = 2

# ISO 4217 list one (SIX Group, https://www.six-group.com/en/products-services/financial-information/data-standards.html):
# minor units other than 2.
MINOR_DIGITS: dict[str, int] = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}

# One minor unit of each currency that has others.
QUANTA: dict[str | None, Decimal] = {code: Decimal(1).scaleb(-digits) for code, digits in MINOR_DIGITS.items()}
USUAL_QUANTUM = Decimal(1).scaleb(-USUAL_MINOR_DIGITS)
