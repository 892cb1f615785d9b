"""SDP fragments: candidates and credentials are read, nonsense is refused in words."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.live.fragment import Fragment, read_fragment, write_fragment
from camera_hub.live.offer import OfferError

# As RFC 9725 has it in its example of an ICE restart, with a name among the candidates.
RESTART = """a=ice-options:trickle ice2\r
a=group:BUNDLE 0 1\r
m=audio 9 UDP/TLS/RTP/SAVPF 111\r
a=mid:0\r
a=ice-ufrag:ysXw\r
a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r
a=candidate:3471623853 1 udp 2122194687 4fd5d2b5-d7a1.local 61765 typ host generation 0\r
a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0\r
a=end-of-candidates\r
"""


def test_what_a_viewer_sends_is_read() -> None:
    fragment = read_fragment(RESTART)
    assert (fragment.ufrag, fragment.password) == ("ysXw", "vw5LmwG4y/e6dPP/zAP9Gp5k")
    (candidate,) = fragment.candidates
    assert candidate.startswith("1387637174 1 udp 2122260223 192.0.2.1 61764 typ host")
    assert read_fragment("a=end-of-candidates\r\n") == Fragment()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "a=ice-ufrag:abc",
        "a=ice-ufrag:four\na=ice-pwd:short",
        "a=ice-ufrag:four\na=ice-ufrag:five",
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(OfferError):
        read_fragment(text)


@given(st.text(max_size=200))
def test_nothing_breaks_it(text: str) -> None:
    with contextlib.suppress(OfferError):
        read_fragment(text)


def test_our_side_can_be_read_again() -> None:
    candidate = "1 1 udp 2130706431 192.0.2.7 50000 typ host"
    text = write_fragment("0", "abcd", "x" * 24, [candidate])
    assert read_fragment(text) == Fragment("abcd", "x" * 24, (candidate,))
    assert "a=mid:0\r\n" in text
