"""Alerting systems read alerts as CAP 1.2: whole, in the standard's order, and a feed of them."""

from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from camera_hub.alerts.occurrence import AlertKind
from camera_hub.alerts.rule import Rule, Urgency
from camera_hub.alerts.telling.cap import ATOM, CAP
from camera_hub.link.messages import EventNews
from camera_hub.server.parts import Parts
from tests.support.server import SITE, Server, event, hello, running_app

# The standard's order of what may stand in an alert and in an info (CAP 1.2, section 3.4, its XML schema).
ALERT = (
    "identifier",
    "sender",
    "sent",
    "status",
    "msgType",
    "source",
    "scope",
    "restriction",
    "addresses",
    "code",
    "note",
    "references",
    "incidents",
    "info",
)
INFO = (
    "language",
    "category",
    "event",
    "responseType",
    "urgency",
    "severity",
    "certainty",
    "audience",
    "eventCode",
    "effective",
    "onset",
    "expires",
    "senderName",
    "headline",
    "description",
    "instruction",
    "web",
    "contact",
    "parameter",
    "resource",
    "area",
)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(tmp_path) as running:
        await running.state.site_connected(hello())
        rule = Rule("nguoi", "Người <ở> cổng & sân\x01", (AlertKind.MOTION,), urgency=Urgency.URGENT)
        await running.store.alerts.put_rule(rule)
        await running.state.deliver(SITE, EventNews(id="m1", event=event(1, zones=("Lòng đường",))))
        parts = running.app.state.parts
        assert isinstance(parts, Parts)
        await parts.desk.work()
        await running.sign_in("cong-an", "giữ yên thôn xóm")
        yield running


async def read(server: Server) -> tuple[Xml.Element, Xml.Element]:
    """The feed, and the message of its only entry."""
    answer = await server.client.get("/api/cap")
    assert answer.headers["content-type"] == "application/atom+xml"
    feed = Xml.fromstring(answer.content)
    link = feed.find(f"{{{ATOM}}}entry/{{{ATOM}}}link")
    assert link is not None
    told = await server.client.get(link.attrib["href"])
    assert told.headers["content-type"] == "application/cap+xml"
    return feed, Xml.fromstring(told.content)


def text(of: Xml.Element, *path: str) -> str | None:
    return of.findtext("/".join(f"{{{CAP}}}{name}" for name in path))


async def act(server: Server, what: str, **body: object) -> None:
    alert = (await server.client.get("/api/alerts")).json()["alerts"][0]
    path = f"/api/alerts/{alert['id']}/{what}"
    assert (await server.client.post(path, json={"version": alert["version"], **body})).status_code == 200


async def test_a_message_says_what_where_and_how_urgent(server: Server) -> None:
    feed, alert = await read(server)
    assert feed.findtext(f"{{{ATOM}}}entry/{{{ATOM}}}title") == "KHẨN: Người <ở> cổng & sân"
    assert (text(alert, "status"), text(alert, "msgType"), text(alert, "scope")) == (
        "Actual",
        "Alert",
        "Restricted",
    )
    assert text(alert, "sent") == "2026-05-28T20:26:40-00:00"
    vi, en = alert.findall(f"{{{CAP}}}info")
    assert (text(vi, "language"), text(en, "language")) == ("vi-VN", "en")
    assert (text(vi, "urgency"), text(vi, "severity"), text(vi, "certainty")) == (
        "Immediate",
        "Severe",
        "Likely",
    )
    assert (text(vi, "event"), text(en, "event")) == ("Có chuyển động", "Movement")
    assert text(vi, "area", "areaDesc") == "Cổng làng, Đầu đường vào xóm, Xóm Khe Cốc"


async def test_its_parts_are_in_the_standards_order(server: Server) -> None:
    await act(server, "acknowledge")
    _, alert = await read(server)
    for element, order in ((alert, ALERT), *((info, INFO) for info in alert.findall(f"{{{CAP}}}info"))):
        names = [child.tag.removeprefix(f"{{{CAP}}}") for child in element]
        assert names == sorted(names, key=order.index)


async def test_what_people_do_is_an_update_and_a_false_alarm_cancels(server: Server) -> None:
    _, first = await read(server)
    await act(server, "acknowledge")
    _, second = await read(server)
    assert text(second, "msgType") == "Update"
    sent = f"{text(first, 'sender')},{text(first, 'identifier')},{text(first, 'sent')}"
    assert text(second, "references") == sent
    await act(server, "close", verdict="false")
    _, third = await read(server)
    assert (text(third, "msgType"), text(third, "info", "urgency")) == ("Cancel", "Past")
    assert len({text(one, "identifier") for one in (first, second, third)}) == 3


async def test_nobody_else_reads_them(server: Server) -> None:
    await server.client.post("/api/logout")
    assert (await server.client.get("/api/cap")).status_code == 401
