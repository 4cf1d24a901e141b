"""Numbers that name things on the wire: VLANs, VNIs, autonomous systems, MPLS labels.

In: a JSON integer or a text. Out: an `int` inside its space; its one text form is its decimal digits.

* VLAN id: 12 bits, 0 and 4095 reserved (IEEE 802.1Q-2018, table 9-2).
* VNI: 24 bits (RFC 7348, section 5); 0 is left out, as several data planes take it for "none".
* AS number: 32 bits (RFC 6793), 0 reserved by RFC 7607, the last by RFC 7300. Text may be `asdot`
  (`1.10`, RFC 5396); decimal digits (`asplain`) are what is shown.
* MPLS label: 20 bits, 0 to 15 are special purpose (RFC 3032, section 2.1; RFC 7274).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGITS = re.compile(r"[0-9]{1,10}").fullmatch
_ASDOT = re.compile(r"([0-9]{1,5})\.([0-9]{1,5})").fullmatch
_OCTETS = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """All numbers of one kind, from `low` to `high`. `dotted`: a text may be `high half.low half`."""

    name: str
    low: int
    high: int
    dotted: bool = False

    def check(self, number: int) -> int:
        """The number itself. Raises `ValueError` outside of the space."""
        if self.low <= number <= self.high:
            return number
        raise ValueError(f"{number} is not a {self.name}: they are from {self.low} to {self.high}")

    def parse(self, text: str) -> int:
        """The number that a text writes."""
        if _DIGITS(text):
            return self.check(int(text))
        match = _ASDOT(text) if self.dotted else None
        if match is None:
            raise ValueError(f"{text!r} is not a {self.name} such as {max(self.low, 100)}")
        high, low = int(match[1]), int(match[2])
        if high > _OCTETS or low > _OCTETS:
            raise ValueError(f"{text!r} is not a {self.name}: each half is from 0 to {_OCTETS}")
        return self.check(high << 16 | low)

    @staticmethod
    def text(number: int) -> str:
        """The one text form."""
        return str(number)


VLAN = Space(name="VLAN id", low=1, high=4094)
VNI = Space(name="VNI", low=1, high=2**24 - 1)
ASN = Space(name="AS number", low=1, high=2**32 - 2, dotted=True)
MPLS_LABEL = Space(name="MPLS label", low=16, high=2**20 - 1)
