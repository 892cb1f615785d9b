"""The SDP of a viewer's offer, made ready for aiortc, and aiortc's answer, made right for the viewer. No I/O.

What is changed, and why:
- of all codecs in the offer the one is kept that fits the camera's H.264 best (packetization-mode 1), since
  aiortc knows constrained baseline alone, but what it sends is the camera's own whatever it is called;
- candidates that are names (`….local`, mDNS), not UDP, or too many are left out, and so is their end:
  the viewer comes to us, and its address is learned from its first check, so nothing has to be looked
  up before the answer;
- header extensions are left out: a viewer has use for none of those that aiortc fills in.
"""

import re
from dataclasses import dataclass

from camera_hub.annexb import head_units, parameter_sets
from camera_hub.model import HubError

MAX_OFFER_BYTES = 64 * 1024
MAX_MEDIA = 4
MAX_CANDIDATES = 20

_AIORTC_PROFILE = "42e01f"
# A decoder for a profile further left plays those to its right too, by and large: high, main, baseline.
_BY_POWER = ("64", "4d", "42")


class OfferError(HubError):
    """The viewer's offer cannot be used."""


@dataclass(frozen=True)
class ReadyOffer:
    """An offer for aiortc, and what the viewer called the chosen codec's profile."""

    sdp: str
    profile_level_id: str


@dataclass(frozen=True)
class _Choice:
    payload_type: str
    profile_level_id: str
    retransmission: str | None  # payload type of its RTX (RFC 4588)

    @property
    def kept(self) -> list[str]:
        return [self.payload_type, *([self.retransmission] if self.retransmission else [])]


def h264_profile(data: bytes) -> bytes | None:
    """The three bytes of `profile-level-id` (RFC 6184, 8.1) from a keyframe's first SPS; None without one."""
    sps = parameter_sets("h264", head_units("h264", data)).sps
    return sps[0][1:4] if sps and len(sps[0]) >= 4 else None


def read_offer(sdp: str, profile: bytes) -> ReadyOffer:
    """Make a viewer's offer ready; `profile` is the camera's `profile-level-id`. Raises OfferError."""
    if len(sdp) > MAX_OFFER_BYTES:
        raise OfferError(f"the offer is longer than {MAX_OFFER_BYTES} bytes")
    session, *media = _sections(sdp)
    if not session or not session[0].startswith("v=0"):
        raise OfferError("this is not an SDP offer: it does not begin with v=0")
    if len(media) > MAX_MEDIA:
        raise OfferError(f"the offer has more than {MAX_MEDIA} media sections")
    kinds = [section[0][2:].split(" ", 1)[0] for section in media]
    if kinds.count("video") != 1 or not set(kinds) <= {"video", "audio"}:
        raise OfferError("the offer must have one video section, and besides it nothing but sound")
    lines = [line for line in session if not line.startswith("a=extmap-allow-mixed")]
    chosen = ""
    for kind, section in zip(kinds, media, strict=True):
        kept = _without_what_is_not_used(section)
        if kind == "video":
            if "a=recvonly" not in kept and "a=sendrecv" not in kept:
                raise OfferError("the offer must ask to receive video (a=recvonly)")
            choice = _choose(kept, profile.hex())
            chosen = choice.profile_level_id
            kept = _only(kept, choice)
        lines += kept
    return ReadyOffer(sdp="\r\n".join(lines) + "\r\n", profile_level_id=chosen)


def finish_answer(sdp: str, offer: ReadyOffer) -> str:
    """aiortc's answer with the profile named as the viewer named it (RFC 6184, 8.2.2)."""
    return sdp.replace(f"profile-level-id={_AIORTC_PROFILE}", f"profile-level-id={offer.profile_level_id}")


def is_usable_candidate(line: str) -> bool:
    """Whether an `a=candidate:` line is of an address that UDP may be sent to."""
    # foundation component transport priority address port "typ" type …
    fields = line.split()
    return len(fields) >= 8 and fields[2].lower() == "udp" and not fields[4].lower().endswith(".local")


def _sections(sdp: str) -> list[list[str]]:
    """The lines of the session, then of each media section."""
    sections: list[list[str]] = [[]]
    for line in sdp.splitlines():
        if line.startswith("m="):
            sections.append([])
        if line.strip():
            sections[-1].append(line.strip())
    return sections


def _without_what_is_not_used(section: list[str]) -> list[str]:
    kept: list[str] = []
    candidates = 0
    for line in section:
        if line.startswith(("a=extmap", "a=end-of-candidates")):
            continue
        if line.startswith("a=candidate:"):
            if not is_usable_candidate(line):
                continue
            candidates += 1
            if candidates > MAX_CANDIDATES:
                continue
        kept.append(line)
    return kept


def _choose(section: list[str], profile: str) -> _Choice:
    """The offered H.264 that fits the camera's profile best. Raises OfferError without one."""
    names = dict(_attribute(section, "rtpmap"))
    formats = dict(_attribute(section, "fmtp"))
    offered: dict[str, str] = {}  # payload type by profile, the first of each
    for payload_type, name in names.items():
        parameters = _parameters(formats.get(payload_type, ""))
        if name.lower() == "h264/90000" and parameters.get("packetization-mode") == "1":
            offered.setdefault(parameters.get("profile-level-id", _AIORTC_PROFILE).lower(), payload_type)
    if not offered:
        raise OfferError(
            "the browser offers no H.264 (with packetization-mode 1), and this camera sends nothing else"
        )
    best = min(offered, key=lambda candidate: _distance(candidate, profile))
    payload_type = offered[best]
    retransmission = next(
        (
            other
            for other, name in names.items()
            if name.lower() == "rtx/90000" and _parameters(formats.get(other, "")).get("apt") == payload_type
        ),
        None,
    )
    return _Choice(payload_type, best, retransmission)


def _distance(candidate: str, profile: str) -> tuple[int, int]:
    """How far an offered profile is from the camera's: the same, a stronger, a weaker one."""
    if candidate[:2] == profile[:2]:
        return (0, int(candidate[2:4] != profile[2:4]))
    power = _BY_POWER.index(candidate[:2]) if candidate[:2] in _BY_POWER else len(_BY_POWER)
    return (1, power)


def _only(section: list[str], choice: _Choice) -> list[str]:
    """The video section with the chosen codec alone, named as aiortc knows it."""
    media = section[0].split(" ")
    lines = [" ".join([*media[:3], *choice.kept])]
    for line in section[1:]:
        match = re.match(r"a=(?:rtpmap|fmtp|rtcp-fb):(\d+) ", line)
        if match is not None and match[1] not in choice.kept:
            continue
        lines.append(re.sub(r"profile-level-id=[0-9a-fA-F]{6}", f"profile-level-id={_AIORTC_PROFILE}", line))
    return lines


def _attribute(section: list[str], name: str) -> list[tuple[str, str]]:
    """(payload type, rest) of each `a=name:payload-type rest`."""
    found: list[tuple[str, str]] = []
    for line in section:
        if line.startswith(f"a={name}:"):
            payload_type, _, rest = line.partition(":")[2].partition(" ")
            found.append((payload_type, rest))
    return found


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.split(";") if part.strip())
    return {key.lower(): value for key, _, value in pairs}
