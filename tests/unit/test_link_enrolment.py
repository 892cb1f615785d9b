"""Enrolment by a one-time code: who has no code, or stands between, gets nothing. Without a socket."""

import contextlib
import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.link import enrolment, handshake
from camera_hub.link.enrolment import Code, Seen
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import (
    Challenge,
    Enrol,
    Enrolled,
    LinkError,
    decode_from_server,
    decode_from_worker,
    encode,
)

CODE = Code("7K2MQ4TD9XHB3WNC")
CERTIFICATE = hashlib.sha256(b"the server's").digest()
OTHER = hashlib.sha256(b"somebody's between").digest()
SEEN = Seen(CERTIFICATE, trusted=False)
KEY = SiteKey.make()
ASKED = handshake.challenge()


def request(code: Code = CODE, seen: Seen = SEEN, asked: Challenge = ASKED) -> Enrol:
    return enrolment.enrol(asked, code, KEY, "khe-coc", "Xóm Khe Cốc", "0.1.0", seen)


def answer(told: Enrol) -> Enrolled:
    return enrolment.enrolled(ASKED, told, CODE.record, "tuc-tranh", 1_780_000_000_000_000)


def test_the_right_code_lets_a_key_in_and_the_server_proves_itself() -> None:
    told = request()
    assert decode_from_worker(encode(told)) == told
    assert enrolment.refusal(ASKED, told, CODE.record, CERTIFICATE) is None
    answered = decode_from_server(encode(answer(told)))
    assert isinstance(answered, Enrolled)
    enrolment.check_enrolled(ASKED, told, answered, CODE)


def test_another_code_is_refused() -> None:
    refused = enrolment.refusal(ASKED, request(), Code.make().record, CERTIFICATE)
    assert refused is not None
    assert refused.code == "wrong-code"


def test_what_was_overheard_is_worth_nothing_for_the_next_challenge() -> None:
    refused = enrolment.refusal(handshake.challenge(), request(), CODE.record, CERTIFICATE)
    assert refused is not None
    assert refused.code == "wrong-code"


@given(
    field=st.sampled_from(("site", "name", "software", "nonce", "key", "code", "certificate", "trusted")),
    data=st.data(),
)
def test_nothing_that_was_signed_can_be_changed(field: str, data: st.DataObject) -> None:
    told = request()
    value = getattr(told, field)
    kinds: dict[type, st.SearchStrategy[object]] = {
        str: st.text(max_size=20),
        bytes: st.binary(min_size=32, max_size=32),
        bool: st.booleans(),
    }
    other = data.draw(kinds[type(value)].filter(lambda other: other != value))
    refused = enrolment.refusal(ASKED, msgspec.structs.replace(told, **{field: other}), CODE.record, None)
    assert refused is not None
    assert refused.code == "wrong-code"


@given(
    at=st.integers(0, 63), bit=st.integers(0, 7), which=st.sampled_from(("key_signature", "code_signature"))
)
def test_no_bit_of_a_signature_can_be_changed(at: int, bit: int, which: str) -> None:
    told = request()
    signature = bytearray(getattr(told, which))
    signature[at] ^= 1 << bit
    tampered = msgspec.structs.replace(told, **{which: bytes(signature)})
    assert enrolment.refusal(ASKED, tampered, CODE.record, CERTIFICATE) is not None


def test_somebody_between_shows_a_certificate_of_his_own_and_is_found_out() -> None:
    for seen in (Seen(OTHER, trusted=False), Seen(OTHER, trusted=True), Seen(b"", trusted=True)):
        refused = enrolment.refusal(ASKED, request(seen=seen), CODE.record, CERTIFICATE)
        assert refused is not None
        assert refused.code == "other-certificate"
        assert "AB:" in refused.reason or ":" in refused.reason


def test_a_certificate_that_nobody_vouches_for_is_not_taken_on_trust() -> None:
    refused = enrolment.refusal(ASKED, request(), CODE.record, None)
    assert refused is not None
    assert refused.code == "unknown-certificate"
    assert "--ca-file" in refused.reason
    trusted = request(seen=Seen(CERTIFICATE, trusted=True))
    assert enrolment.refusal(ASKED, trusted, CODE.record, None) is None


def test_a_server_without_the_code_cannot_pose_as_the_one_that_made_it() -> None:
    told = request()
    without = enrolment.enrolled(ASKED, told, Code.make().record, "tuc-tranh", 0)
    with pytest.raises(LinkError, match="does not know the code"):
        enrolment.check_enrolled(ASKED, told, without, CODE)


@given(change=st.sampled_from(("server", "server_time_us", "proof")))
def test_nothing_of_the_servers_answer_can_be_changed(change: str) -> None:
    told = request()
    other = {"server": "elsewhere", "server_time_us": 1, "proof": bytes(32)}[change]
    with pytest.raises(LinkError, match="does not know the code"):
        enrolment.check_enrolled(ASKED, told, msgspec.structs.replace(answer(told), **{change: other}), CODE)


def test_an_answer_to_another_request_is_worth_nothing() -> None:
    with pytest.raises(LinkError, match="does not know the code"):
        enrolment.check_enrolled(ASKED, request(), answer(request()), CODE)


def test_what_the_server_keeps_is_not_enough_to_enrol() -> None:
    """Whoever reads the database has the record; it opens neither the code's key nor the code."""
    record = CODE.record
    for guess in (record.public, record.server_secret):
        assert guess not in encode(request())[-140:]
        assert SiteKey.from_seed(guess).public_bytes() != record.public


def test_the_code_itself_never_goes_over_the_wire_nor_into_a_log() -> None:
    wire = encode(request()) + encode(answer(request()))
    assert b"7K2M" not in wire
    assert "7K2M" not in repr(CODE)
    assert CODE.record.server_secret.hex() not in repr(CODE.record)


@given(st.text(alphabet="0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=16, max_size=16))
def test_a_code_is_read_as_people_write_it(signs: str) -> None:
    code = Code(signs)
    assert len(str(code)) == 19
    for written in (
        str(code),
        str(code).lower(),
        signs.replace("0", "o").replace("1", "l"),
        f" {signs[:7]} {signs[7:]} ",
    ):
        assert Code(written).record == code.record


@pytest.mark.parametrize(
    "text", ["", "7K2M", "7K2M-Q4TD-9XHB-3WN", "7K2M-Q4TD-9XHB-3WNCC", "7K2M-Q4TD-9XHB-3WN!", "ư" * 16]
)
def test_what_is_no_code_is_said_to_be_none(text: str) -> None:
    with pytest.raises(LinkError, match="that is no code"):
        Code(text)


def test_codes_differ_and_are_long_enough_to_withstand_guessing() -> None:
    codes = {str(Code.make()) for _ in range(200)}
    assert len(codes) == 200
    assert 32**16 >= 2**80


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://hub.example.vn", "wss://hub.example.vn/api/link"),
        ("https://hub.example.vn/", "wss://hub.example.vn/api/link"),
        ("https://hub.example.vn/sites", "wss://hub.example.vn/api/link"),
        ("https://hub.example.vn:8443/api/link", "wss://hub.example.vn:8443/api/link"),
        ("wss://hub.example.vn/api/link/", "wss://hub.example.vn/api/link"),
        ("https://example.vn/hub/api/link", "wss://example.vn/hub/api/link"),
        ("http://192.168.1.5:8787", "ws://192.168.1.5:8787/api/link"),
        ("hub.example.vn", "wss://hub.example.vn/api/link"),
        (" https://[fd00::1]:8787 ", "wss://[fd00::1]:8787/api/link"),
    ],
)
def test_any_address_of_the_server_will_do(given: str, url: str) -> None:
    assert enrolment.link_url(given) == url


@pytest.mark.parametrize(
    "text", ["", "https://", "ftp://a", "https://a:0", "https://a:999999", "https://me:pw@a", "a b"]
)
def test_what_is_no_address_is_said_to_be_none(text: str) -> None:
    with pytest.raises(LinkError, match="no address of a server"):
        enrolment.link_url(text)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused_in_words(text: str) -> None:
    with contextlib.suppress(LinkError):  # any other error fails the test
        assert enrolment.link_url(text).startswith(("ws://", "wss://"))


def test_an_older_server_is_said_to_know_no_codes() -> None:
    with pytest.raises(LinkError, match="older release"):
        request(asked=Challenge(version=1, nonce=b"n" * 32))
