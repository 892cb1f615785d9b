"""A viewer's offer is cut to what is used; what cannot be used is refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.annexb import joined
from camera_hub.live.offer import MAX_OFFER_BYTES, OfferError, finish_answer, h264_profile, read_offer

HIGH = bytes.fromhex("640028")
MAIN = bytes.fromhex("4d401f")
BASELINE = bytes.fromhex("42c01e")

SESSION = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\n"


def video(*formats: tuple[int, str, str], direction: str = "recvonly", extra: str = "") -> str:
    """A video section; formats are (payload type, name, fmtp)."""
    lines = [
        "m=video 9 UDP/TLS/RTP/SAVPF " + " ".join(str(payload_type) for payload_type, _, _ in formats),
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        f"a={direction}",
        "a=rtcp-mux",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
    ]
    for payload_type, name, parameters in formats:
        lines.append(f"a=rtpmap:{payload_type} {name}/90000")
        lines.append(f"a=rtcp-fb:{payload_type} nack pli")
        if parameters:
            lines.append(f"a=fmtp:{payload_type} {parameters}")
    return "\r\n".join(lines) + "\r\n" + extra


def h264(payload_type: int, profile: str, mode: int = 1) -> list[tuple[int, str, str]]:
    fmtp = f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}"
    return [(payload_type, "H264", fmtp), (payload_type + 1, "rtx", f"apt={payload_type}")]


BROWSER = [
    (96, "VP8", ""),
    (97, "rtx", "apt=96"),
    *h264(102, "42001f"),
    *h264(104, "42001f", mode=0),
    *h264(108, "42e01f"),
    *h264(116, "4d001f"),
    *h264(41, "64001f"),
]


@pytest.mark.parametrize(
    ("profile", "payload_type", "named"),
    [
        (HIGH, 41, "64001f"),
        (MAIN, 116, "4d001f"),
        (BASELINE, 102, "42001f"),
        (b"\x42\xe0\x1f", 108, "42e01f"),
    ],
)
def test_the_codec_that_fits_the_camera_is_kept_alone(profile: bytes, payload_type: int, named: str) -> None:
    ready = read_offer(SESSION + video(*BROWSER), profile)
    assert f"m=video 9 UDP/TLS/RTP/SAVPF {payload_type} {payload_type + 1}\r\n" in ready.sdp
    assert "VP8" not in ready.sdp
    assert ready.sdp.count("H264") == 1
    assert f"a=rtcp-fb:{payload_type} nack pli" in ready.sdp
    assert ready.profile_level_id == named
    answer = f"a=fmtp:{payload_type} packetization-mode=1;profile-level-id=42e01f\r\n"
    assert named in finish_answer(answer, ready)


def test_a_stronger_profile_is_taken_before_a_weaker_one() -> None:
    ready = read_offer(SESSION + video(*h264(102, "42e01f"), *h264(116, "4d001f")), HIGH)
    assert ready.profile_level_id == "4d001f"


def test_candidates_that_are_names_or_not_udp_are_left_out_and_so_is_their_end() -> None:
    extra = "".join(
        f"a=candidate:{line}\r\n"
        for line in (
            "1 1 udp 2113937151 4c8bd9a5-0000-4000-8000-000000000000.local 50000 typ host",
            "2 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active",
            "3 1 udp 2113937151 192.0.2.7 50001 typ host",
            "garbage",
            *(f"{n} 1 udp 2113937151 192.0.2.8 {n} typ host" for n in range(100, 200)),
        )
    )
    ready = read_offer(SESSION + video(*BROWSER, extra=extra + "a=end-of-candidates\r\n"), HIGH)
    assert ".local" not in ready.sdp
    assert " tcp " not in ready.sdp
    assert "end-of-candidates" not in ready.sdp
    assert "garbage" not in ready.sdp
    assert "192.0.2.7 50001" in ready.sdp
    assert ready.sdp.count("a=candidate:") == 20


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        ("", "v=0"),
        ("hello", "v=0"),
        (SESSION, "one video section"),
        (SESSION + video(*BROWSER) + video(*BROWSER), "one video section"),
        (SESSION + video(*BROWSER) + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", "but sound"),
        (SESSION + video(*BROWSER) + "m=audio 9 RTP/SAVPF 0\r\n" * 9, "more than"),
        (SESSION + video(*BROWSER, direction="sendonly"), "recvonly"),
        (SESSION + video((96, "VP8", "")), "no H.264"),
        (SESSION + video(*h264(104, "42001f", mode=0)), "no H.264"),
        (SESSION + "x" * MAX_OFFER_BYTES, "longer"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(offer: str, words: str) -> None:
    with pytest.raises(OfferError, match=words):
        read_offer(offer, HIGH)


@given(st.lists(st.sampled_from((SESSION + video(*BROWSER)).splitlines()), max_size=60))
def test_a_shuffled_offer_is_read_or_refused(lines: list[str]) -> None:
    try:
        ready = read_offer("\r\n".join(["v=0", *lines]), MAIN)
    except OfferError:
        return
    assert "H264/90000" in ready.sdp


def test_the_profile_is_read_from_the_first_sps() -> None:
    sps, pps, idr = b"\x67\x64\x00\x1f\xac", b"\x68\xee\x3c", b"\x65\x88\x84\x21"
    assert h264_profile(joined([b"\x09\xf0", sps, pps, idr])) == b"\x64\x00\x1f"
    assert h264_profile(joined([idr])) is None
    assert h264_profile(joined([b"\x67\x64"])) is None
