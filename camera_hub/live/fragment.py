"""SDP fragments (RFC 8840, section 9), by which a viewer's ICE is told of candidates, or begun anew. No I/O.

Of a fragment the candidates are kept that are addresses to which UDP goes, as of an offer; names
(`….local`, mDNS) do no harm. Media sections are not told apart, since all are bundled.
"""

import re
from dataclasses import dataclass

from camera_hub.live.offer import OfferError, is_usable_candidate

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")  # RFC 8839, 5.4


@dataclass(frozen=True)
class Fragment:
    """What a viewer tells of its ICE. `candidates` are without the `a=candidate:` in front."""

    ufrag: str = ""  # empty when it does not say
    password: str = ""
    candidates: tuple[str, ...] = ()


def read_fragment(text: str) -> Fragment:
    """Raises OfferError for what is no fragment."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or not all(re.match(r"[a-z]=", line) for line in lines):
        raise OfferError("this is not an SDP fragment: its lines do not begin with a letter and =")
    ufrags = _values(lines, "a=ice-ufrag:")
    passwords = _values(lines, "a=ice-pwd:")
    if len(ufrags) > 1 or len(passwords) > 1:
        raise OfferError("the fragment has more than one ice-ufrag or ice-pwd, and all is one bundle")
    ufrag, password = "".join(ufrags), "".join(passwords)
    if (ufrag and not _UFRAG.fullmatch(ufrag)) or (password and not _PASSWORD.fullmatch(password)):
        raise OfferError("the fragment's ice-ufrag or ice-pwd is not as RFC 8839 has it")
    candidates = tuple(
        line.removeprefix("a=candidate:")
        for line in lines
        if line.startswith("a=candidate:") and is_usable_candidate(line)
    )
    return Fragment(ufrag, password, candidates)


def write_fragment(mid: str, ufrag: str, password: str, candidates: list[str]) -> str:
    """Our side after ICE has begun anew; all candidates that there will be."""
    lines = [
        f"a=group:BUNDLE {mid}",
        "m=video 9 UDP/TLS/RTP/SAVPF 0",
        f"a=mid:{mid}",
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{password}",
        *(f"a=candidate:{candidate}" for candidate in candidates),
        "a=end-of-candidates",
    ]
    return "\r\n".join(lines) + "\r\n"


def _values(lines: list[str], name: str) -> set[str]:
    return {line.removeprefix(name) for line in lines if line.startswith(name)}
