"""What a single value of a request may be, whichever field it stands in."""

from __future__ import annotations

import re
from collections.abc import Container
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

_MAXIMUM_AMOUNT = 999_999_999
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
COUNTRIES = frozenset(
    # ISO 3166-1 alpha-2
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF "  # noqa: SIM905
    "CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH "
    "GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW "
    "KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG "
    "NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN "
    "SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT "
    "ZA ZM ZW".split()
)


def is_amount(value: object) -> bool:
    """A whole number of minor units above zero with at most nine digits (docs, "Calculating the amount")."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAXIMUM_AMOUNT


def one_of(value: Any, options: Container[str]) -> bool:
    return isinstance(value, str) and value in options


def is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= len(value) <= longest and not _CONTROL.search(value)


def is_metadata(value: Any) -> bool:
    return isinstance(value, dict) and all(
        0 < len(key) <= 100 and (each is None or isinstance(each, str | int | float)) for key, each in value.items()
    )


def is_web_address(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > 1024 or _CONTROL.search(value) or " " in value or not value.isascii():
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(_HOST.fullmatch(parts.hostname or "")) and parts.port != 0
    except ValueError:
        return False


def is_ip(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ip_address(value))
    except ValueError:
        return False
