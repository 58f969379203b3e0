"""Whether a named value plainly names a person: by the words of its name, or by a value that is an e-mail address, a phone number, a
browser, or several named values of which one does.

A name is split into words (`firstName`, `First-Name`, `first name` are the same) and written without accents, so that what shops call
their fields is known by its pattern. What ends with `name` is somebody's, unless it is a thing's (`campaign name`). Words of other
languages stand here where they mean nothing else; town, region and postcode are kept: they name nobody, and marketing asks for them.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

_GENITIVE: Final = re.compile(r"['\u2019]s\b")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN: Final = re.compile(r"[^a-z0-9]+")

# Anywhere in a name, also within a longer word (Lieferadresse, Telefonnummer).
_STEMS: Final = re.compile(
    r"e_?mail|phone|telefon|mobile|handynummer|mobilnummer|address|adres|direccion|indirizzo|endereco"
    r"|surname|forename|firstname|lastname|fullname|nickname|username|vorname|nachname|familienname|prenom|apellido|cognome|sobrenome"
    r"|voornaam|achternaam|fornamn|efternamn|fornavn|efternavn|etternavn|etunimi|sukunimi"
    r"|recipient|empfae?nger|destinatair|destinatari|ontvanger|mottagare|modtager"
    r"|strasse|hausnummer|huisnummer|housenumber|streetname"
    r"|birth(?!stone)|geburtstag|geburtsdatum|naissance|nacimiento|compleanno|geboortedatum"
    r"|passport|iban|useragent|card_?(?:no|nr|num|number|name|holder)(?:_|$)"
)
# Words by themselves.
_WORDS: Final = frozenset(
    """
    tel handy mobil cellulare celular movil gsm cell fax whatsapp
    mail mailadresse courriel correo
    street rue calle straat gatan gade ulica utca osoite anschrift
    nombre nom nome naam imie nazwisko namn navn jmeno prijmeni nev nume prenume isim soyisim soyad nimi
    kontaktperson ansprechpartner attn signatory
    ip ua dob ssn cpf dni nif bsn pesel personnummer latitude longitude puhelin skype
    """.split()  # noqa: SIM905  (a list of words is read as one)
)
# Two words side by side.
_PAIRS: Final = frozenset(
    [
        ("user", "agent"), ("house", "number"), ("house", "no"), ("haus", "nr"), ("contact", "person"), ("date", "naissance"),
        ("codice", "fiscale"), ("tax", "id"), ("social", "security"), ("numero", "telephone"), ("whats", "app"),
        ("contact", "number"), ("contact", "no"), ("emergency", "contact"), ("delivery", "contact"), ("remote", "addr"),
        ("account", "number"), ("account", "no"), ("bank", "account"), ("gift", "from"), ("gift", "to"), ("message", "from"), ("message", "to"),
        ("wechat", "id"), ("ad", "soyad"), ("c", "o"),
        *((network, word) for network in ("instagram", "facebook", "twitter", "telegram", "tiktok") for word in ("handle", "id", "user", "account")),
    ]
)  # fmt: skip
# A name is somebody's, unless it is a thing's: of the word before it, or of the place or the list that a word names.
_NAMES: Final = frozenset(("name", "names"))
_THINGS: Final = frozenset(
    """
    ad ads adset adgroup affiliate app attribute banner box branch brand bundle campaign carrier category channel city class code collection color
    colour company country coupon course courier creative discount domain event experiment feature field file folder font form funnel
    gateway group host image item key landing layout list location locker market material medium method model module offer option organisation
    organization package page partner pattern plan platform plugin point product program project promo promotion property provider province region
    sale school screen section segment series service set shade shop site size slot source state station store style subscription tag tax
    team template test theme tier title topic town type upsell variable variant variation vendor warehouse website widget zone
    """.split()  # noqa: SIM905
)
# The same in other scripts, whose words have no blanks between them, or no capitals.
_OTHER_SCRIPTS: Final = re.compile(
    "氏名|名前|姓名|フリガナ|ふりがな|電話|電郵|メール|住所|番地|受取人|宛名|收件人|收货人|收貨人|联系|聯絡|手机|手機|电话|邮箱|地址"
    "|이름|성함|전화|연락처|주소|이메일|받는"
    r"|\bимя\b|\bфио\b|фамили|отчеств|телефон|адрес|почт|улиц|получател|\bім'?я\b|прізвищ"
    "|ονομα|επωνυμο|τηλεφων|διευθυνσ|οδοσ"
    "|الاسم|اسم|هاتف|جوال|عنوان|البريد"
    "|שם פרטי|שם משפחה|שם מלא|טלפון|כתובת"
)
# What stands for a name within a text that holds several: JSON, or what PHP makes of an array.
_KEY: Final = re.compile(r'"([^"\\]{1,64})"\s*[:;]')
_SEVERAL: Final = ("{", "[", "a:", "O:")
_BROWSER: Final = "Mozilla/"

_EMAIL: Final = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")
# A plus and 8 to 15 digits; or a whole value as numbers are written at home, with signs between. Dates, prices and ids are none.
_INTERNATIONAL: Final = re.compile(r"(?<![\w.+])\+(?=[1-9])(?:[ ()/.\-]{0,2}\d){8,15}(?![\w+:])")
_NATIONAL: Final = re.compile(r"(?:0|\(0?)(?=.*[ ()/\-])(?:[ ()/\-]{0,2}\d){8,12}|\(?\d{3}\)?[ .\-]\d{3}[ .\-]\d{4}")
_MAX_PHONE_CHARS: Final = 24
BEGINS: Final = frozenset("0123456789({[aOM")  # a value that begins otherwise is asked for an address and a plus only
MOST_ENCODINGS: Final = 5  # of a part of an address, one within the other
_NUMBER_BEGINS: Final = frozenset("0123456789(")


@lru_cache(maxsize=4_096)  # the same few names in every order of a shop
def is_personal_name(name: str) -> bool:
    """Whether what stands under this name is somebody's name, address, number ..."""
    words = words_of(name)
    return (
        not _WORDS.isdisjoint(words)
        or _is_somebodys(words)
        or any(pair in _PAIRS for pair in pairwise(words))
        or _STEMS.search("_".join(words)) is not None
        or (not name.isascii() and _is_in_another_script(name))
    )


def _is_in_another_script(name: str) -> bool:
    """Accents are written in Greek and left out as well; in Korean and Japanese what looks like one is a part of the letter."""
    written = unicodedata.normalize("NFKC", name).lower()
    return any(_OTHER_SCRIPTS.search(text) is not None for text in (written, _plain(name)))


def _is_somebodys(words: list[str]) -> bool:
    """Whether it is a name that ends so, and not a thing's."""
    return bool(words) and words[-1] in _NAMES and (len(words) == 1 or words[-2] not in _THINGS)


def words_of(name: str) -> list[str]:
    """The words of a name, in small letters without accents; digits stay with the letters before them."""
    plain = _plain(_CAMEL.sub(" ", _GENITIVE.sub("", name)).replace("ß", "ss"))
    return [word.rstrip("0123456789") or word for word in _BETWEEN.split(plain) if word]


def _plain(text: str) -> str:
    """In small letters, without accents."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(sign))


def is_personal_value(value: str) -> bool:
    """Whether the text holds an e-mail address or a phone number, says which browser somebody has, or holds named values (JSON, PHP's
    arrays) of which one names a person."""
    if value.isdigit():  # an id, a time, a count: a number at home is only known by the signs in it
        return False
    if "@" in value and _EMAIL.search(value):
        return True
    if "+" in value and _INTERNATIONAL.search(value):
        return True
    if value.startswith(_BROWSER) or (value.startswith(_SEVERAL) and any(map(is_personal_name, _KEY.findall(value)))):
        return True
    return value[:1] in _NUMBER_BEGINS and len(value) <= _MAX_PHONE_CHARS and _NATIONAL.fullmatch(value) is not None


def is_personal_part(part: str) -> bool:
    """The same of a part of an address, however often it is encoded. A plus is itself (a number's) or a blank (between digits)."""
    for _ in range(MOST_ENCODINGS):
        if is_personal_value(part) or ("+" in part and is_personal_value(part.replace("+", " ").strip())):
            return True
        decoded = unquote(part)
        if decoded == part:
            return False
        part = decoded
    return True  # nobody writes so what is meant to be read
