"""What plainly names a person is left out of attributes, by the pattern of its name or its value; what marketing needs is kept."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.platforms.attributes import flattened, named
from custom_events.platforms.personal import is_personal_name, is_personal_value, words_of
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.deliveries import Platform, RawDelivery, SiteContext

PERSONAL = """
First Name|Last-Name|Full Name|first_name|firstName|FIRST NAME|Firstname|lastName2|_billing_first_name|Billing First Name|surname|Name|name|NAME:
Customer Name|Recipient|recipientName|Gift recipient|Your Name|Child's name|baby-name|User Name|username|nickname|cardholder name
Street|Street 2|street_name|Shipping Street|streetAddress|Address Line 1|delivery-address|Adresse|Lieferadresse|dirección|House Number|Hausnummer
userAgent|User-Agent|user_agent|UserAgent|ip|IP|clientIp|client_ip|IP-Address|customer ip
Email|e-mail|E Mail|eMail|contactEmail|phone|Phone Number|mobilePhone|Telefon|Telefonnummer|téléphone|Teléfono|Tel.|tel|Handy|WhatsApp|fax
Vorname|Nachname|prénom|Prenom|nom|Nombre|apellido|Apellidos|cognome|Nome|Empfänger|Empfaenger|Straße|Strasse|Strassenname|rue|calle
date of birth|birthday|dateOfBirth|Geburtsdatum|dob|passport_no|iban|SSN|_billing_cpf|DNI|codice fiscale|card number|cardNo|latitude
Player Name|Dog's name|Engraving Name|monogram names|Ship To Name|Gift From|message to|cell|Mail|courriel|Anschrift|Ansprechpartner|Attn|c/o
Contact No.|contact number|emergency contact|account number|bank account|REMOTE_ADDR|instagram handle|jméno|příjmení|prenume|İsim|soyadı adres
姓名|お名前|氏名（フリガナ）|ふりがな|電話番号|住所|收件人|手机号|이름|받는 사람|주소|Имя|Ваше имя|Фамилия|телефон получателя|Ім'я|Όνομα|Ονοματεπώνυμο|Διεύθυνση|الاسم|רחוב כתובת
""".replace("\n", "|").strip("|").split("|")  # fmt: skip

KEPT = """
colour|gclid_note|campaign_name|campaignName|Campaign Name|ad name|adset_name|product name|Shop name|utm_source|gift wrap|gift_message|size
city|City|zip_code|postcode|country|region|language|store|channel|device|is_first_order|lastOrder|full_price|family size|birthstone|postcard note
streetwear|hotel|model|relationship|shipping_method|trip|zip|description|recipe|internal_id|order_note|delivery date|via|client_id|customer_type
contact_method|company|vat_number|fbp|_ga|session_id|landing page|phrase|titel|nominal|denomination|telescope size|mailing_list|strategy
variant name|event_name|theme-name|discount name|carrier_name|pickup point name|font name|File Name|line_id|line_item_id|время|商品|색상|цвет
""".replace("\n", "|").strip("|").split("|")  # fmt: skip


@pytest.mark.parametrize("name", PERSONAL)
def test_names_that_say_a_person(name: str) -> None:
    assert is_personal_name(name)
    assert flattened([(name, "whatever it holds")]) == {}


@pytest.mark.parametrize("name", KEPT)
def test_names_that_say_nobody(name: str) -> None:
    assert not is_personal_name(name)
    assert flattened([(name, "kept")]) == {name: "kept"}


@pytest.mark.parametrize(
    "value",
    ["jo@example.com", "write to jo@example.com, please", "+49 170 1234567", "call +4917012345678 first", "(+1) 202-555-0143", "0170/1234567",
     "0170 1234567", "070-174 06 05", "(202) 555-0143", "202.555.0143", "(030) 12 34 56 78", "+33 6 12 34 56 78"],
)  # fmt: skip
def test_values_that_are_an_address_or_a_number(value: str) -> None:
    assert is_personal_value(value)
    assert flattened([("note", value)]) == {}


@pytest.mark.parametrize(
    "value",
    [
        {"first_name": "Jo", "size": "S"},
        [{"key": "recipient", "value": "Jo"}, {"Recipient": "Jo"}],
        {"parcel": {"to": {"Street": "Main Street 1"}}},
        '{"firstName": "Jo"}',
        'a:2:{s:10:"first_name";s:2:"Jo";s:4:"size";s:1:"S";}',
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    ],
    ids=str,
)
def test_values_that_hold_a_person_among_others(value: Any) -> None:
    assert flattened([("parcel", value)]) == {}


@pytest.mark.parametrize(
    "value", [{"size": "S"}, ["S", "M"], '{"campaign name": "x"}', "a:1", "Mozart", "{}", "[]"], ids=str
)
def test_values_that_hold_nobody(value: Any) -> None:
    assert list(flattened([("parcel", value)])) == ["parcel"]


@pytest.mark.parametrize(
    "value",
    ["", "5 @ 3", "2026-11-20", "20.11.2026", "01-02-2026", "2026-11-20 10:00:00", "2026-11-20T10:00:00+01:00", "1763632800", "100.00", "-5.00",
     "0.123456789", "12345678901234", "A-1001", "10115", "1-2 days", "+5 points", "3+1", "UTC+02:00", "GA1.1.1234567890.1763632800", "10:00 - 12:00",
     "192.0.2.1", "1 2 3", "100 x 200 x 300", "GCL.1763632800.Cj0KCQ", "1,234,567", "Cj0+KCQ+12345678", "0123456789", "4 006381 333931"],
)  # fmt: skip
def test_values_that_are_none(value: str) -> None:
    assert not is_personal_value(value)


def test_words_of_a_name() -> None:
    assert words_of("billingFirstName2") == ["billing", "first", "name"]
    assert words_of("IPAddress") == ["ip", "address"]
    assert words_of("Größe (cm)") == ["grosse", "cm"]
    assert words_of("2024") == ["2024"]
    assert words_of("  ") == []


def test_a_list_that_php_made_an_object_of_is_read_as_one() -> None:
    assert named({"0": {"name": "gclid", "value": "x"}, "1": {"name": "a", "value": 1}}) == [("gclid", "x"), ("a", 1)]
    assert named({"gclid": "x", "size": {"name": "S"}}) == [("gclid", "x"), ("size", {"name": "S"})]


@given(st.text(max_size=40))
def test_any_name_and_any_value_are_judged(text: str) -> None:
    assert is_personal_name(text) in (True, False)
    assert is_personal_value(text) in (True, False)
    assert is_personal_name(text.replace("_", "-")) == is_personal_name(text)


def test_nothing_of_it_is_in_an_event_of_either_platform() -> None:
    pairs = [
        ("First Name", "Jane-Secret"),
        ("Street", "Secret Street 1"),
        ("userAgent", "Secret/5.0"),
        ("gift", "kept-value"),
    ]
    shopify = {
        "id": 1, "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z", "total_price": "1",
        "note_attributes": [{"name": name, "value": value} for name, value in pairs],
        "line_items": [{"id": 1, "quantity": 1, "properties": [{"name": name, "value": value} for name, value in pairs]}],
    }  # fmt: skip
    woo = {
        "id": 1, "status": "processing", "total": "1", "date_created_gmt": "2026-11-20T10:00:00",
        "meta_data": [{"key": name, "value": value} for name, value in pairs],
        "line_items": [{"id": 1, "quantity": 1, "meta_data": [{"key": name, "value": value} for name, value in pairs]}],
    }  # fmt: skip
    for platform, topic, body in (
        (Platform.SHOPIFY, "orders/paid", shopify),
        (Platform.WOOCOMMERCE, "order.updated", woo),
    ):
        delivery = RawDelivery(topic=topic, body=json.dumps(body).encode())
        events = PLATFORMS[platform].understand(delivery, SiteContext(site_id=1, platform=platform)).events
        assert "Secret" not in str(events)
        assert str(events).count("kept-value") == 2 * len(events)
