"""Fictional customers, products and baskets, drawn from a seeded generator so that two runs post the same bytes."""

from decimal import Decimal
from random import Random

import msgspec

_FIRST = ("Alma", "Bruno", "Carla", "Davor", "Elin", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaia", "Lorenz")
_LAST = ("Abel", "Brandt", "Costa", "Dahl", "Ebner", "Fink", "Gross", "Holm", "Ivers", "Jansen", "Keller", "Lund")
_COUNTRIES = (("DE", "10115", "+4930"), ("AT", "1010", "+431"), ("NL", "1012", "+3120"), ("FR", "75001", "+331"))


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A customer of one store."""

    number: int
    first: str
    last: str
    email: str
    phone: str
    country: str
    postcode: str


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """Something a store sells; `price` includes tax."""

    number: int
    sku: str
    title: str
    price: Decimal
    vendor: str
    kind: str


PRODUCTS = (
    Product(
        number=101,
        sku="VIP-LAMP-1",
        title="Reading lamp, brass",
        price=Decimal("189.00"),
        vendor="Northlight",
        kind="Lamps",
    ),
    Product(
        number=102, sku="CUP-2", title="Espresso cup, pair", price=Decimal("24.90"), vendor="Kilnhouse", kind="Kitchen"
    ),
    Product(number=103, sku="TOWEL-3", title="Linen towel", price=Decimal("18.50"), vendor="Weft", kind="Bath"),
    Product(
        number=104, sku="CHAIR-4", title="Oak chair", price=Decimal("249.00"), vendor="Northlight", kind="Furniture"
    ),
    Product(number=105, sku="SOAP-5", title="Olive soap", price=Decimal("6.20"), vendor="Weft", kind="Bath"),
    Product(number=106, sku="VIP-RUG-6", title="Wool rug", price=Decimal("420.00"), vendor="Weft", kind="Furniture"),
    Product(number=107, sku="JAR-7", title="Storage jar", price=Decimal("15.00"), vendor="Kilnhouse", kind="Kitchen"),
    Product(
        number=108, sku="BEANS-8", title="Coffee beans, 1 kg", price=Decimal("32.00"), vendor="Kilnhouse", kind="Pantry"
    ),
)


def person(generator: Random, number: int) -> Person:
    """Customer `number` of a store; example.com addresses and reserved-looking numbers reach nobody."""
    first, last = generator.choice(_FIRST), generator.choice(_LAST)
    country, postcode, prefix = generator.choice(_COUNTRIES)
    return Person(
        number=number,
        first=first,
        last=last,
        email=f"{first}.{last}.{number}@example.com".lower(),
        phone=f"{prefix}55501{number % 1000:03d}",
        country=country,
        postcode=postcode,
    )


def basket(generator: Random) -> list[tuple[Product, int]]:
    """One to four different products with their quantities."""
    return [(product, generator.randint(1, 3)) for product in generator.sample(PRODUCTS, generator.randint(1, 4))]


def total_of(lines: list[tuple[Product, int]]) -> Decimal:
    """Sum of a basket."""
    return sum((product.price * quantity for product, quantity in lines), Decimal(0))
