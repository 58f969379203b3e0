"""Google's rules for what identifies a person, each with a vector (docs/reference/google-ads.md 2.4). The digests are written out, so
that a change of any step shows. Names and addresses are no identifiers here: Google's lanes get e-mail and phone alone."""

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_events.values.identifiers import email_sha256, normalise_email, phone_sha256, to_e164

JANE = "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69"
NUMBER = "54af34308301e43f00650baaeb6cf4925b942201d74191b26d48292cfec907fd"


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("jane.doe@example.com", "jane.doe@example.com"),
        ("  Jane.Doe@Example.COM\n", "jane.doe@example.com"),
        (
            "user.name+NYC@Example.com",
            "user.name+nyc@example.com",
        ),  # the guide's own: other domains keep dots and suffix
        ("jane.doe@outlook.com", "jane.doe@outlook.com"),
        ("Jane.Doe+Shopping@googlemail.com", "janedoe@googlemail.com"),
        ("Jane.Doe+Shopping@Gmail.com", "janedoe@gmail.com"),
        ("j.a.n.e@gmail.com", "jane@gmail.com"),
        ("jane+a+b@gmail.com", "jane@gmail.com"),
        ("jane.doe+x@notgmail.com", "jane.doe+x@notgmail.com"),
        ("jane.doe+x@gmail.com.example", "jane.doe+x@gmail.com.example"),
        ("jane.doe@mail.gmail.com", "jane.doe@mail.gmail.com"),
        ("jörg@müller.de", "jörg@müller.de"),
        ("two@ats@example.com", "two@ats@example.com"),
    ],
)
def test_emails(given: str, normal: str) -> None:
    assert normalise_email(given) == normal
    assert email_sha256(given) == hashlib.sha256(normal.encode()).hexdigest()


@pytest.mark.parametrize(
    "given",
    [
        "",
        " ",
        "jane",
        "jane@",
        "@example.com",
        "jane@localhost",
        "jane doe@example.com",
        "+@gmail.com",
        "...@gmail.com",
    ],
)
def test_what_is_no_email_has_no_hash(given: str) -> None:
    assert normalise_email(given) is None
    assert email_sha256(given) is None


@pytest.mark.parametrize(
    ("given", "country", "number"),
    [
        ("+49 30 123456", None, "+4930123456"),
        ("+49 (0)30 123456", None, "+4930123456"),  # the trunk zero is not dialled from abroad
        ("+49 (0) 30 / 12 34 56", "US", "+4930123456"),
        ("+4901701234567", None, "+491701234567"),
        ("+44 (0)20 7946 0018", None, "+442079460018"),
        ("+46 (0)70-174 06 05", None, "+46701740605"),
        ("+39 06 6982 0", None, "+390669820"),  # Italy's zero is part of the number
        ("+1 (202) 555-0143", None, "+12025550143"),
        ("+12025550143", "DE", "+12025550143"),
        ("030 123456", "DE", "+4930123456"),
        ("0170/1234567", "de", "+491701234567"),
        ("0049 170 1234567", "DE", "+491701234567"),
        ("011 49 170 1234567", "US", "+491701234567"),
        ("070-174 06 05", "SE", "+46701740605"),
        ("06 6982 0", "IT", "+390669820"),
        ("(202) 555-0143", "US", "+12025550143"),
        ("202.555.0143", "CA", "+12025550143"),
        ("+380 44 123 4567", None, "+380441234567"),
        ("(+49) 170 1234567", "US", "+491701234567"),
        # Argentina's mobile 15 becomes a 9 before the area code
        ("+54 11 15-2345-6789", None, "+5491123456789"),
        ("+541115-2345-6789", None, "+5491123456789"),
        ("011 15-2345-6789", "AR", "+5491123456789"),
        ("+54 9 11 2345-6789", None, "+5491123456789"),
        ("+54 11 4343-1234", None, "+541143431234"),
        # Mexico's mobile 1, gone since 2019
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("+52 55 1234 5678", None, "+525512345678"),
        ("5215512345678", "MX", "+525512345678"),
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("55 1234 5678", "MX", "+525512345678"),
        # trunk prefixes after the plus
        ("+7 8 495 123-45-67", None, "+74951234567"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("+61 (0)4 1234 5678", None, "+61412345678"),
        ("+36 06 20 123 4567", None, "+36201234567"),
        ("+55 0 11 98765-4321", None, "+5511987654321"),
        # a country's own calling code without its plus
        ("4915112345678", "DE", "+4915112345678"),
        ("49 151 12345678", "DE", "+4915112345678"),
        ("491701234567", "DE", "+491701234567"),
        ("4930123456", "DE", "+4930123456"),
        ("1701234567", "DE", "+491701234567"),
        ("04931 123456", "DE", "+494931123456"),
        ("436601234567", "AT", "+436601234567"),
        ("33612345678", "FR", "+33612345678"),
        ("919876543210", "IN", "+919876543210"),
        ("9198765432", "IN", "+919198765432"),
        ("79161234567", "RU", "+79161234567"),
        ("12025550143", "US", "+12025550143"),
        ("393401234567", "IT", "+393401234567"),
        ("5511987654321", "BR", "+5511987654321"),
        ("+229 01 97 12 34 56", None, "+2290197123456"),  # Benin's numbers have ten digits since 2024
        ("+800 1234 5678", None, "+80012345678"),
        ("tel:+49-30-123456", None, "+4930123456"),
        ("+1 202 555 0143 ext. 5", None, "+12025550143"),
    ],
)
def test_phones(given: str, country: str | None, number: str) -> None:
    assert to_e164(given, country) == number
    assert phone_sha256(given, country) == hashlib.sha256(number.encode()).hexdigest()


def test_every_region_s_number_in_every_way_it_is_written() -> None:
    """The metadata's own example of each region: the way that skips the metadata has to agree with them."""
    import phonenumbers
    from phonenumbers import PhoneNumberFormat as Form

    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number(region)
        wanted = phonenumbers.format_number(number, Form.E164)
        for form in (Form.E164, Form.INTERNATIONAL):
            assert to_e164(phonenumbers.format_number(number, form), None) == wanted, region
        assert to_e164(phonenumbers.format_number(number, Form.NATIONAL), region) == wanted, region


@settings(max_examples=1_500, deadline=None)
@given(data=st.data())
def test_what_skips_the_library_is_what_the_library_says(data: Any) -> None:
    """A number written as E.164, of any calling code: the same number, or none, as the library's own reading."""
    import phonenumbers

    code = data.draw(st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)))
    rest = data.draw(st.text("0123456789", min_size=3, max_size=13))
    text = f"+{code}{rest}"
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        wanted = None
    else:
        possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
        wanted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible else None
    found = to_e164(text, None)
    wanted = wanted if len(wanted or "") <= 16 else None  # E.164 itself
    assert found == wanted or (code == 52 and wanted is None and phonenumbers.is_valid_number(phonenumbers.parse(found)))  # fmt: skip


@pytest.mark.parametrize(
    ("given", "country"),
    [
        ("", "DE"),
        ("030 123456", None),
        ("call me", "DE"),
        ("030 123456", "XX"),
        ("+0301234567", None),
        ("+49", "DE"),
        ("+229 97 12 34 56", None),  # Benin's old numbers
        ("97 12 34 56", "BJ"),
        ("+52 1 00 0000 0000", None),
        ("555-0143", "US"),  # possible within its area only
        ("110", "DE"),
        ("+49 30 123456 / 0170 1234567", None),
        ("+49170123456789012", None),
        ("+99912345678", None),
        ("49", "DE"),
    ],
)
def test_what_is_no_phone_has_no_hash(given: str, country: str | None) -> None:
    assert phone_sha256(given, country) is None


def test_digests_written_out() -> None:
    assert email_sha256("Jane.Doe+Shopping@Gmail.com") == JANE
    assert phone_sha256("(202) 555-0143", "US") == NUMBER
    assert email_sha256(None) is phone_sha256(None, "DE") is None


@pytest.mark.parametrize("digest", [JANE, JANE.upper(), f" {JANE}\n"])
def test_what_is_hashed_already_is_not_hashed_again(digest: str) -> None:
    assert email_sha256(digest) == JANE
    assert phone_sha256(digest, "DE") == JANE


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.emails(), st.text(max_size=80)), st.sampled_from([None, "DE", "US", "IT"]))
def test_hashing_twice_is_hashing_once(text: str, country: str | None) -> None:
    for once in (email_sha256(text), phone_sha256(text, country)):
        assert once is None or (len(once) == 64 and once == once.lower())
    assert email_sha256(email_sha256(text)) == email_sha256(text)
    assert phone_sha256(phone_sha256(text, country), country) == phone_sha256(text, country)


@settings(max_examples=200, deadline=None)
@given(st.emails())
def test_case_and_whitespace_make_no_difference(address: str) -> None:
    ascii_only = address.isascii()  # beyond ASCII, upper and lower case are no pairs
    assert email_sha256(f"  {address.upper() if ascii_only else address} ") == email_sha256(address)
