"""Addresses of streams and links: pure text, taken apart and judged.

No text made here repeats an address, since it may hold a password.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

CLIP_ENDINGS = (".mp4", ".mkv", ".avi")

_SCHEME = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*)://")


class Split(NamedTuple):
    """An address without its credentials, and these apart."""

    address: str
    username: str | None
    password: str | None


def scheme(address: str) -> str:
    """The part before `://` in small letters; empty for a path."""
    match = _SCHEME.match(address)
    return match[1].lower() if match else ""


def split_credentials(address: str) -> Split:
    """Take user name and password out of `scheme://user:password@host/...` (RFC 3986, 3.2.1)."""
    match = _SCHEME.match(address)
    if match is None:
        return Split(address, None, None)
    rest = address[match.end() :]
    end = min((i for i in map(rest.find, "/?#") if i >= 0), default=len(rest))
    user_info, at, host = rest[:end].rpartition("@")
    if not at:
        return Split(address, None, None)
    username, colon, password = user_info.partition(":")
    bare = match[0].lower() + host + rest[end:]
    return Split(bare, unquote(username), unquote(password) if colon else None)


def network_problem(address: str, schemes: tuple[str, ...], example: str) -> str | None:
    """What is wrong with the address (without credentials) of something on the network, in words."""
    if scheme(address) not in schemes:
        wanted = " or ".join(f"{name}://" for name in schemes)
        return f"does not start with {wanted}; write it like {example}"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return (
            "has a port that is no number from 1 to 65535; where the password has a sign such as / ? # "
            "in it, write user name and password apart, as `username` and `password`"
        )
    if not parts.hostname or port == 0 or re.search(r"\s", address):
        return f"names no host that could be reached; write it like {example}"
    if "@" in address:
        return (
            "has an @ after the host; where the user name or password has a sign such as / ? # in it, "
            "write them apart, as `username` and `password`; an @ in the path itself is written %40"
        )
    return None


def stream_problem(address: str) -> str | None:
    """What is wrong with the address (without credentials) of a stream, in words."""
    named = scheme(address)
    if named == "rtsp":
        return network_problem(address, ("rtsp",), "rtsp://192.168.1.20:554/stream1")
    if named:
        return f"starts with {named}://; give an rtsp:// address, or the path of a clip (mp4, mkv or avi)"
    if not address.strip():
        return "is empty; give an rtsp:// address, or the path of a clip (mp4, mkv or avi)"
    if not address.lower().endswith(CLIP_ENDINGS):
        return (
            "is neither an rtsp:// address nor the path of a clip; a clip's name ends with .mp4, .mkv or .avi"
        )
    return None
