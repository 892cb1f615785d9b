"""People and machines are told of alerts, by real counterparts: mail, a signed webhook, an encrypted push."""

import asyncio
import dataclasses
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from camera_hub.alerts.occurrence import AlertKind
from camera_hub.alerts.rule import Rule, Step, Urgency
from camera_hub.link.messages import EventNews, EventPicture
from camera_hub.server.parts import Parts
from tests.support.receivers import Browser, HttpReceiver, Mails, http_receiver
from tests.support.server import JPEG, SITE, START_US, Server, event, hello, running_app, ulid

PHONE = {"name": "Điện thoại", "kind": "push"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(tmp_path) as running:
        await running.state.site_connected(hello())
        await running.sign_in()
        yield running


@pytest.fixture
async def receiver() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as made:
        yield made


def parts(server: Server) -> Parts:
    found = server.app.state.parts
    assert isinstance(found, Parts)
    return found


async def channel(server: Server, key: str, /, **body: Any) -> dict[str, Any]:
    answer = await server.client.put(f"/api/channels/{key}", json=body)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert isinstance(made, dict)
    return made


async def rule(server: Server, *to: str, urgency: Urgency = Urgency.NORMAL, join_s: float = 120) -> None:
    made = Rule(
        "nguoi", "Người ở cổng", (AlertKind.MOTION,), steps=(Step(0, to),), urgency=urgency, join_s=join_s
    )
    await server.store.alerts.put_rule(made)


async def moved(server: Server, number: int = 1, at_s: float = 0) -> None:
    one = event(number, start_us=START_US + round(at_s * 1e6), zones=("Lòng đường",))
    await server.state.deliver(SITE, EventNews(id=f"m{number}", event=one))


async def told(server: Server) -> None:
    """All that is due now is judged, told, and noted."""
    await parts(server).desk.work()
    await parts(server).deliverer.work()
    await parts(server).deliverer.settled()


async def subscribe(server: Server, receiver: HttpReceiver, browser: Browser) -> None:
    """As a browser does; the test's push service has no certificate, so its address is changed after."""
    endpoint = f"{receiver.url}/push/1"
    keys = {"p256dh": browser.p256dh, "auth": browser.auth}
    asked = {"endpoint": endpoint.replace("http:", "https:"), **keys, "language": "en"}
    answer = await server.client.post("/api/push", json=asked)
    assert answer.status_code == 201, answer.text
    (stored,) = await server.store.alerts.subscriptions("admin")
    assert await server.store.alerts.remove_subscription(stored.id)
    await server.store.alerts.put_subscription(dataclasses.replace(stored, endpoint=endpoint))


async def states(server: Server, name: str) -> list[tuple[str, str]]:
    found = (await server.client.get(f"/api/channels/{name}/deliveries")).json()["deliveries"]
    return [(one["state"], one["error"]) for one in found]


async def test_by_mail_with_the_picture(server: Server) -> None:
    with Mails() as mails:
        await channel(server, "truc-ban", name="Trực ban", kind="apprise", url=mails.url)
        await rule(server, "truc-ban", urgency=Urgency.URGENT)
        await moved(server)
        await server.state.deliver(
            SITE, EventPicture(id="p1", event_id=ulid(1), camera="cong-lang", at_us=START_US, jpeg=JPEG)
        )
        await told(server)
        (mail,) = mails.mails
    assert mail["subject"] == "KHẨN: Người ở cổng"
    body = mail.get_body(("plain", "html"))
    assert body is not None
    words = body.get_content()
    assert "Cổng làng (Đầu đường vào xóm), Xóm Khe Cốc" in words
    assert "03:26:40 ngày 29/05/2026, ở Lòng đường" in words
    (attached,) = mail.iter_attachments()
    assert attached.get_content() == JPEG
    assert await states(server, "truc-ban") == [("sent", "")]


async def test_by_a_signed_webhook(server: Server, receiver: HttpReceiver) -> None:
    server.clock.go(time.time() - server.clock.wall_us() / 1e6)  # a signature of long ago would be refused
    await server.sign_in()
    made = await channel(server, "may", name="Máy", kind="webhook", url=f"{receiver.url}/in", inside=True)
    await rule(server, "may")
    await moved(server)
    await told(server)
    (call,) = receiver.calls
    body = Webhook(made["secret"]).verify(call.body, call.headers)
    assert body["type"] == "alert.opened"
    assert body["data"]["alert"]["events"][0]["id"] == ulid(1)
    listed = (await server.client.get("/api/channels")).json()["channels"]
    assert (listed[0]["to"], "secret" in listed[0]) == ("http://127.0.0.1", False)
    again = await channel(server, "may", name="Máy khác", kind="webhook", inside=True)
    assert again["secret"] is None
    assert again["channel"]["name"] == "Máy khác"


async def test_by_an_encrypted_push(server: Server, receiver: HttpReceiver) -> None:
    browser = Browser()
    parts(server).messages._push_inside = True
    await channel(server, "dien-thoai", **PHONE)
    await subscribe(server, receiver, browser)
    key = (await server.client.get("/api/push")).json()["key"]
    await rule(server, "dien-thoai")
    await moved(server)
    await told(server)
    call = receiver.calls[-1]
    content = json.loads(browser.read(call))
    # In the language of the browser's reader, whatever the channel's is.
    assert content["body"].startswith("Cổng làng (Đầu đường vào xóm), Xóm Khe Cốc\nMovement at 03:26:40")
    assert (content["title"], content["acknowledge"]) == ("Người ở cổng", "Acknowledge")
    assert content["link"] == f"/alerts/{content['tag']}"
    assert call.headers["content-encoding"] == "aes128gcm"
    assert f"k={key}" in call.headers["authorization"]


async def test_a_browser_that_unsubscribed_is_let_go(server: Server, receiver: HttpReceiver) -> None:
    receiver.respond = lambda _: (410, {}, b"")
    parts(server).messages._push_inside = True
    browser = Browser()
    await channel(server, "dien-thoai", **PHONE)
    await subscribe(server, receiver, browser)
    await rule(server, "dien-thoai")
    await moved(server)
    await told(server)
    assert await server.store.alerts.subscriptions() == []
    ((state, error),) = await states(server, "dien-thoai")
    assert state == "given-up"
    assert "does not want to be told" in error


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, {}, b"oh  no"), "it answered 500: oh no"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "a redirect, which is not followed"),
        ((429, {"Retry-After": "120"}, b""), "it answered 429"),
    ],
)
async def test_a_webhook_that_fails_is_tried_again(
    server: Server, receiver: HttpReceiver, answer: tuple[int, dict[str, str], bytes], said: str
) -> None:
    receiver.respond = lambda _: answer
    await channel(server, "may", name="Máy", kind="webhook", url=receiver.url, inside=True)
    await rule(server, "may")
    await moved(server)
    await told(server)
    ((state, error),) = await states(server, "may")
    assert state == "failed"
    assert said in error
    await told(server)
    assert len(receiver.calls) == 1
    server.clock.go(3 if "429" in said else 7)
    await told(server)
    assert len(receiver.calls) == (1 if "429" in said else 2)
    receiver.respond = lambda _: (200, {}, b"")
    server.clock.go(200)
    await told(server)
    assert await states(server, "may") == [("sent", "")]
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1


async def test_after_a_day_it_is_a_dead_letter_and_can_be_sent_anew(
    server: Server, receiver: HttpReceiver
) -> None:
    receiver.respond = lambda _: (503, {}, b"")
    await channel(server, "may", name="Máy", kind="webhook", url=receiver.url, inside=True)
    await rule(server, "may")
    await moved(server)
    for _ in range(12):
        await told(server)
        server.clock.go(40_000)
    assert await states(server, "may") == [("given-up", "it answered 503")]
    assert len(receiver.calls) == 9
    receiver.respond = lambda _: (200, {}, b"")
    dead = (await server.client.get("/api/channels/may/deliveries?state=given-up")).json()["deliveries"]
    assert (await server.client.post(f"/api/deliveries/{dead[0]['id']}/again")).status_code == 200
    await told(server)
    assert await states(server, "may") == [("sent", "")]


async def test_an_address_of_the_own_network_is_refused(server: Server, receiver: HttpReceiver) -> None:
    await channel(server, "may", name="Máy", kind="webhook", url=receiver.url)
    outcome = (await server.client.post("/api/channels/may/test")).json()
    assert outcome["sent"] == 0
    assert "an address of the own network" in outcome["errors"][0]
    assert receiver.calls == []


async def test_one_that_hangs_delays_nobody_else(server: Server, receiver: HttpReceiver) -> None:
    receiver.respond = lambda _: None
    async with http_receiver() as other:
        await channel(server, "treo", name="Treo", kind="webhook", url=receiver.url, inside=True)
        await channel(server, "may", name="Máy", kind="webhook", url=other.url, inside=True)
        await rule(server, "treo", "may")
        await moved(server)
        await parts(server).desk.work()
        await parts(server).deliverer.work()
        async with asyncio.timeout(10):
            while not other.calls:
                await asyncio.sleep(0.02)
        assert parts(server).deliverer._sending  # the other one still hangs
        for task in parts(server).deliverer._sending:
            task.cancel()


async def test_a_flood_is_one_message_with_a_count(server: Server) -> None:
    with Mails() as mails:
        await channel(server, "truc-ban", name="Trực ban", kind="apprise", url=mails.url)
        await rule(server, "truc-ban", join_s=0)
        for number in range(1, 6):
            await moved(server, number, at_s=number)
        await told(server)
        assert [mail["subject"] for mail in mails.mails] == ["5 báo động mới"]
        assert sorted(await states(server, "truc-ban")) == [("folded", "")] * 4 + [("sent", "")]
        for number in range(6, 14):
            server.clock.go(1)
            await moved(server, number, at_s=number)
            await told(server)
        assert len(mails.mails) == 6
        server.clock.go(600)
        await told(server)
        assert len(mails.mails) == 9  # three had waited
        assert {state for state, _ in await states(server, "truc-ban")} == {"sent", "folded"}


async def test_a_test_message(server: Server) -> None:
    with Mails() as mails:
        await channel(server, "truc-ban", name="Trực ban", kind="apprise", url=mails.url, language="en")
        outcome = (await server.client.post("/api/channels/truc-ban/test")).json()
        assert outcome == {"sent": 1, "errors": []}
        assert mails.mails[0]["subject"] == "A test of alerts"
    outcome = (await server.client.post("/api/channels/truc-ban/test")).json()
    assert outcome["sent"] == 0
    assert outcome["errors"][0].startswith("it was not taken: ")


async def test_a_channel_that_a_rule_tells_by_stays(server: Server) -> None:
    await channel(server, "dien-thoai", **PHONE)
    await rule(server, "dien-thoai")
    answer = await server.client.delete("/api/channels/dien-thoai")
    assert answer.status_code == 409
    assert "Người ở cổng" in answer.json()["detail"]
    await server.store.alerts.remove_rule("nguoi")
    assert (await server.client.delete("/api/channels/dien-thoai")).status_code == 204


async def test_officers_see_channels_and_only_administrators_change_them(server: Server) -> None:
    await channel(server, "dien-thoai", **PHONE)
    await server.client.post("/api/logout")
    await server.sign_in("cong-an", "giữ yên thôn xóm")
    assert (await server.client.get("/api/channels")).status_code == 200
    assert (await server.client.put("/api/channels/x", json=PHONE)).status_code == 403
    assert (await server.client.post("/api/channels/dien-thoai/test")).status_code == 403
