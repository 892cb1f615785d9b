"""Alerts over HTTP: they come by themselves, officers work on them, and of two at once one is first."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from camera_hub.alerts.occurrence import AlertKind
from camera_hub.alerts.rule import Rule
from camera_hub.link.messages import EventNews
from camera_hub.server.alert_desk import AlertDesk
from tests.support.server import SITE, START_US, Server, event, hello, running_app, ulid

RULE = {
    "id": "nguoi-o-cong",
    "name": "Người ở cổng",
    "cameras": [f"{SITE}.cong-lang"],
    "hours": ["22:00-05:00"],
}
ANY = Rule("nguoi", "Có người", (AlertKind.MOTION,))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(tmp_path) as running:
        await running.state.site_connected(hello())
        await running.store.alerts.put_rule(ANY)
        await running.state.deliver(SITE, EventNews(id="m1", event=event(1)))
        await desk(running).work()
        await running.sign_in("cong-an", "giữ yên thôn xóm")
        yield running


def desk(server: Server) -> AlertDesk:
    found = server.app.state.parts.desk
    assert isinstance(found, AlertDesk)
    return found


async def the_alert(server: Server) -> dict[str, Any]:
    answer = await server.client.get("/api/alerts")
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["alerts"]
    assert isinstance(found, dict)
    return found


async def act(server: Server, what: str, **body: Any) -> httpx.Response:
    alert = await the_alert(server)
    return await server.client.post(
        f"/api/alerts/{alert['id']}/{what}", json={"version": alert["version"], **body}
    )


async def test_an_alert_says_what_where_and_when(server: Server) -> None:
    alert = await the_alert(server)
    assert (alert["rule_name"], alert["kind"], alert["site"], alert["state"]) == (
        "Có người",
        "motion",
        SITE,
        "new",
    )
    assert alert["opened"] == "2026-05-28T20:26:40Z"
    assert [one["id"] for one in alert["events"]] == [ulid(1)]
    whole = (await server.client.get(f"/api/alerts/{alert['id']}")).json()
    assert whole["alert"] == alert
    assert [step["act"] for step in whole["history"]] == ["opened"]


async def test_from_new_to_closed(server: Server) -> None:
    seen = await act(server, "acknowledge")
    assert (seen.status_code, seen.json()["state"], seen.json()["owner"]["display_name"]) == (
        200,
        "acknowledged",
        "Công an xã",
    )
    given = await act(server, "assign", to="admin", note="gần đó")
    assert (given.json()["state"], given.json()["owner"]["name"]) == ("assigned", "admin")
    closed = await act(server, "close", verdict="false", note="chó nhà")
    assert (closed.json()["state"], closed.json()["verdict"]) == ("closed", "false")
    verdict = (await server.client.get(f"/api/events/{ulid(1)}")).json()["verdict"]
    assert (verdict["verdict"], verdict["note"], verdict["by"]) == ("false", "chó nhà", "Công an xã")
    again = await act(server, "reopen", note="xem lại")
    assert (again.json()["state"], again.json()["verdict"]) == ("acknowledged", None)
    assert (await server.client.get(f"/api/events/{ulid(1)}")).json()["verdict"] is None
    alert = await the_alert(server)
    await server.client.post(f"/api/alerts/{alert['id']}/notes", json={"note": "đã gọi"})
    history = (await server.client.get(f"/api/alerts/{alert['id']}")).json()["history"]
    assert [(step["act"], step["note"]) for step in history] == [
        ("opened", ""),
        ("acknowledged", ""),
        ("assigned", "gần đó"),
        ("closed", "chó nhà"),
        ("reopened", "xem lại"),
        ("noted", "đã gọi"),
    ]


async def test_of_two_who_close_at_once_the_second_sees_who_was_first(server: Server) -> None:
    alert = await the_alert(server)
    path = f"/api/alerts/{alert['id']}/close"
    answers = await asyncio.gather(
        server.client.post(path, json={"version": alert["version"], "verdict": "false"}),
        server.client.post(path, json={"version": alert["version"], "verdict": "real"}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refused["code"] == "conflict"
    assert "Công an xã closed it as" in refused["detail"]


async def test_what_cannot_be_done_is_said_in_words(server: Server) -> None:
    await act(server, "close", verdict="test")
    answer = await act(server, "close", verdict="real")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-now")
    assert "open it again first" in answer.json()["detail"]
    assert (await act(server, "assign", to="to-tuan-tra")).status_code == 404
    nowhere = await server.client.post(f"/api/alerts/{ulid(77)}/acknowledge", json={"version": 1})
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "no-alert")


async def test_every_browser_hears_of_it(server: Server) -> None:
    with server.updates.subscribe() as follower:
        await act(server, "acknowledge")
        await server.state.deliver(SITE, EventNews(id="m2", event=event(2, start_us=START_US + 1)))
        await desk(server).work()
        told = (await follower.next() or b"").decode()
    alerts = [
        json.loads(block.split("data: ", 1)[1]) for block in told.split("\n\n") if "event: alert" in block
    ]
    assert [(one["state"], len(one["events"])) for one in alerts] == [
        ("acknowledged", 1),
        ("acknowledged", 2),
    ]


async def test_a_viewer_sees_alerts_and_works_on_none(server: Server) -> None:
    await server.client.post("/api/logout")
    await server.sign_in("to-tuan-tra", "đi tuần ban đêm")
    assert (await act(server, "acknowledge")).status_code == 403
    assert (await server.client.put("/api/rules/a", json={"id": "a", "name": "A"})).status_code == 403
    assert (await server.client.get("/api/rules")).status_code == 200


async def test_filters(server: Server) -> None:
    async def count(query: str) -> int:
        return len((await server.client.get(f"/api/alerts?{query}")).json()["alerts"])

    assert await count("state=new&state=acknowledged") == 1
    assert await count("state=closed") == 0
    assert await count(f"camera={SITE}.cong-lang") == 1
    assert await count(f"camera={SITE}.nha-van-hoa") == 0
    assert await count("rule=nguoi") == 1
    assert await count("before=2026-05-28T20:26:40Z") == 0


async def test_who_may_be_assigned(server: Server) -> None:
    people = (await server.client.get("/api/alerts/people")).json()["people"]
    assert [one["name"] for one in people] == ["admin", "cong-an"]


async def test_a_rule_is_made_tried_and_removed(server: Server) -> None:
    trial = (await server.client.post("/api/rule-trials", json={"rule": RULE})).json()
    assert (trial["total"], trial["looked_at"], trial["missed"]) == (1, 1, {})  # 03:26 in the hamlet
    by_day = {**RULE, "hours": ["08:00-17:00"]}
    missed = (await server.client.post("/api/rule-trials", json={"rule": by_day})).json()
    assert (missed["total"], missed["missed"]) == (0, {"time": 1})
    made = await server.client.put("/api/rules/nguoi-o-cong", json=RULE)
    assert made.status_code == 200, made.text
    assert made.json()["rule"]["hours"] == ["22:00-05:00"]
    rules = (await server.client.get("/api/rules")).json()["rules"]
    assert [one["rule"]["id"] for one in rules] == ["nguoi", "nguoi-o-cong"]
    assert rules[1] == made.json()
    assert (await server.client.delete("/api/rules/nguoi-o-cong")).status_code == 204
    assert (await server.client.delete("/api/rules/nguoi-o-cong")).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hours": ["25:00-26:00"]}, "pattern"),
        ({"about": []}, "at least 1"),
        ({"colour": "red"}, "not permitted"),
        ({"quiet": [{"from": "2026-02-16T18:00+07:00", "until": "2026-02-16T17:00+07:00"}]}, "not later"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused_in_words(
    server: Server, wrong: dict[str, Any], said: str
) -> None:
    answer = await server.client.put("/api/rules/nguoi-o-cong", json={**RULE, **wrong})
    assert answer.status_code == 422
    assert said in answer.text


async def test_a_rule_that_does_not_fit_here_is_refused(server: Server) -> None:
    unknown = await server.client.put("/api/rules/nguoi-o-cong", json={**RULE, "tell": [{"to": ["nobody"]}]})
    assert (unknown.status_code, unknown.json()["detail"]) == (409, "There is no channel nobody.")
    assert (await server.client.put("/api/rules/other", json=RULE)).status_code == 409


async def test_a_rule_of_the_configuration_is_changed_there(server: Server) -> None:
    await server.store.alerts.put_rule(ANY, from_config=True)
    answer = await server.client.put("/api/rules/nguoi", json={"id": "nguoi", "name": "Khác"})
    assert (answer.status_code, answer.json()["code"]) == (409, "of-config")
    assert (await server.client.delete("/api/rules/nguoi")).status_code == 409
