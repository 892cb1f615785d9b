"""An administrator makes sites, shows their codes, revokes and removes; nobody else does."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from camera_hub.link import enrolment, handshake
from camera_hub.link.enrolment import Code, Seen
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import PROTOCOL_VERSION, WORKER_SKILLS, Enrolled, Refused
from camera_hub.server.enrolments import CODE_VALID_US
from tests.support.server import SITE, Server, hello, running_app

NEW = {"id": "na-hoan", "name": "Xóm Nà Hoàn"}
SEEN = Seen(b"", trusted=True)
ADDRESS = "192.0.2.7"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(tmp_path) as running:
        await running.sign_in()
        yield running


class Links:
    """The link's end: remembers who was cut off."""

    def __init__(self) -> None:
        self.cut: list[tuple[str, str]] = []
        self.able = True

    async def cut_off(self, site: str, refused: Refused) -> None:
        self.cut.append((site, refused.code))

    async def want_new_key(self, site: str) -> bool:
        return self.able


@pytest.fixture
def links(server: Server) -> Links:
    made = Links()
    server.state.enrolments.links = made
    return made


async def made(server: Server) -> Code:
    answer = await server.client.post("/api/sites", json=NEW)
    assert answer.status_code == 201, answer.text
    return Code(answer.json()["code"])


async def state(server: Server) -> str:
    sites = {site["id"]: site for site in (await server.client.get("/api/sites")).json()["sites"]}
    return str(sites["na-hoan"]["enrolment"]) if "na-hoan" in sites else "none"


async def enrol(server: Server, code: Code, key: SiteKey, site: str = "na-hoan") -> Enrolled | Refused:
    asked = handshake.challenge()
    told = enrolment.enrol(asked, code, key, site, "Xóm Nà Hoàn", "0.1.0", SEEN)
    answer = await server.state.enrolments.enrol(asked, told, ADDRESS)
    if isinstance(answer, Enrolled):
        enrolment.check_enrolled(asked, told, answer, code)
    return answer


def refused_as(answer: Enrolled | Refused) -> str:
    return answer.code if isinstance(answer, Refused) else "let in"


async def test_a_site_is_made_with_a_code_a_command_and_a_qr_code(server: Server) -> None:
    answer = await server.client.post("/api/sites", json=NEW)
    told = answer.json()
    assert answer.status_code == 201
    assert told["command"] == f"camera-hub enrol {server.client.base_url} {told['code']}"
    assert told["qr"].startswith("data:image/svg+xml")
    assert (told["site"]["enrolment"], told["site"]["changed_by"]) == ("waiting", "Quản trị")
    listed = await server.client.get("/api/sites")
    assert told["code"] not in listed.text
    assert told["code"].replace("-", "").encode() not in (server.store.folder / "camera_hub.db").read_bytes()


async def test_the_worker_with_the_code_is_let_in_and_nobody_else(server: Server, links: Links) -> None:
    code, key = await made(server), SiteKey.make()
    assert server.state.site_key("na-hoan") is None
    assert refused_as(await enrol(server, Code.make(), SiteKey.make())) == "wrong-code"
    assert refused_as(await enrol(server, code, key, site="khe-coc")) == "other-site"
    assert refused_as(await enrol(server, code, key)) == "let in"
    assert server.state.site_key("na-hoan") == key.public_text()
    assert await state(server) == "enrolled"
    assert refused_as(await enrol(server, code, SiteKey.make())) == "used-code"
    assert refused_as(await enrol(server, code, key)) == "let in"  # its answer was lost, and it asks again
    assert server.state.site_key("na-hoan") == key.public_text()


async def test_of_many_who_use_a_code_at_once_one_is_let_in(server: Server, links: Links) -> None:
    code = await made(server)
    keys = [SiteKey.make() for _ in range(12)]
    answers = await asyncio.gather(*(enrol(server, code, key) for key in keys))
    winners = [key for key, answer in zip(keys, answers, strict=True) if isinstance(answer, Enrolled)]
    assert len(winners) == 1
    assert server.state.site_key("na-hoan") == winners[0].public_text()


async def test_the_database_alone_lets_one_key_use_a_code(server: Server) -> None:
    """Also where two processes would share it: the one statement decides."""
    public = (await made(server)).record.public.hex()
    used = await asyncio.gather(*(server.store.use_code("na-hoan", public, f"key{n}") for n in range(8)))
    assert len([record for record in used if record is not None]) == 1


async def test_a_code_holds_for_a_day(server: Server, links: Links) -> None:
    code = await made(server)
    server.clock.now_us += CODE_VALID_US - 1
    assert await state(server) == "waiting"
    server.clock.now_us += 1
    assert await state(server) == "expired"
    await server.sign_in()
    assert refused_as(await enrol(server, code, SiteKey.make())) == "used-code"


async def test_guesses_are_slowed_down_for_their_address_alone(server: Server, links: Links) -> None:
    code, key = await made(server), SiteKey.make()
    answers = [refused_as(await enrol(server, Code.make(), key)) for _ in range(6)]
    assert answers == ["wrong-code"] * 5 + ["too-many"]
    assert refused_as(await enrol(server, code, key)) == "too-many"
    asked = handshake.challenge()
    told = enrolment.enrol(asked, code, key, "na-hoan", "", "", SEEN)
    assert isinstance(await server.state.enrolments.enrol(asked, told, "192.0.2.8"), Enrolled)


async def test_a_revoked_worker_is_cut_off_and_its_code_is_void(server: Server, links: Links) -> None:
    code, key = await made(server), SiteKey.make()
    await enrol(server, code, key)
    answer = await server.client.patch("/api/sites/na-hoan", json={"revoked": True})
    assert answer.json()["enrolment"] == "revoked"
    assert links.cut == [("na-hoan", "revoked")]
    barred = server.state.enrolments.barred("na-hoan")
    assert barred is not None
    assert "revoked" in barred.reason
    assert refused_as(await enrol(server, code, key)) == "wrong-code"
    again = await server.client.patch("/api/sites/na-hoan", json={"revoked": False})
    assert again.json()["enrolment"] == "enrolled"
    assert server.state.enrolments.barred("na-hoan") is None


async def test_a_new_machine_takes_the_old_ones_place(server: Server, links: Links) -> None:
    await enrol(server, await made(server), SiteKey.make())
    new_code = Code((await server.client.post("/api/sites/na-hoan/code")).json()["code"])
    assert links.cut == []  # until the new one is there, the old one goes on
    key = SiteKey.make()
    assert refused_as(await enrol(server, new_code, key)) == "let in"
    assert links.cut == [("na-hoan", "wrong-key")]
    assert server.state.site_key("na-hoan") == key.public_text()


async def test_an_older_code_is_void_once_there_is_a_newer_one(server: Server, links: Links) -> None:
    code = await made(server)
    await server.client.post("/api/sites/na-hoan/code")
    assert refused_as(await enrol(server, code, SiteKey.make())) == "wrong-code"


async def test_a_changed_key_holds_and_the_code_of_the_first_does_not_bring_it_back(
    server: Server, links: Links
) -> None:
    code, key, new = await made(server), SiteKey.make(), SiteKey.make()
    await enrol(server, code, key)
    assert (await server.client.post("/api/sites/na-hoan/new-key")).status_code == 202
    assert await server.state.enrolments.change_key("na-hoan", new.public_bytes())
    assert refused_as(await enrol(server, code, key)) == "wrong-code"
    assert server.state.site_key("na-hoan") == base64.b64encode(new.public_bytes()).decode()
    links.able = False
    assert (await server.client.post("/api/sites/na-hoan/new-key")).json()["code"] == "site-not-ready"


async def test_a_removed_site_is_gone_and_cut_off(server: Server, links: Links) -> None:
    await enrol(server, await made(server), SiteKey.make())
    assert (await server.client.delete("/api/sites/na-hoan")).status_code == 204
    assert links.cut == [("na-hoan", "unknown-site")]
    assert await state(server) == "none"
    assert server.state.site_key("na-hoan") is None
    assert (await server.client.delete("/api/sites/na-hoan")).status_code == 404


async def test_a_site_of_the_config_is_read_only(server: Server) -> None:
    path = f"/api/sites/{SITE}"
    for method, at, body in (
        ("PATCH", path, {"revoked": True}),
        ("DELETE", path, None),
        ("POST", f"{path}/code", None),
        ("POST", f"{path}/new-key", None),
    ):
        answer = await server.client.request(method, at, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "site-in-config")
    twice = await server.client.post("/api/sites", json={"id": SITE, "name": "x"})
    assert (twice.status_code, twice.json()["code"]) == (409, "site-exists")


async def test_only_an_administrator_decides_who_may_link(server: Server) -> None:
    await made(server)
    for name, password in (("to-tuan-tra", "đi tuần ban đêm"), ("cong-an", "giữ yên thôn xóm")):
        await server.sign_in(name, password)
        answers: list[httpx.Response] = [
            await server.client.post("/api/sites", json={"id": "b", "name": "b"}),
            await server.client.post("/api/sites/na-hoan/code"),
            await server.client.patch("/api/sites/na-hoan", json={"revoked": True}),
            await server.client.delete("/api/sites/na-hoan"),
        ]
        assert {answer.status_code for answer in answers} == {403}
        assert await state(server) == "waiting"


@pytest.mark.parametrize(
    "wrong", [{"id": "Nà Hoàn"}, {"id": ""}, {"id": "a" * 64}, {"name": " "}, {"id": "rehearsal"}]
)
async def test_a_bad_id_or_name_is_refused(server: Server, wrong: dict[str, str]) -> None:
    answer = await server.client.post("/api/sites", json={**NEW, **wrong})
    assert answer.status_code in (422, 409)


async def test_a_card_says_what_a_worker_lacks_that_it_is_newer_and_that_it_has_a_twin(
    server: Server,
) -> None:
    async def card() -> dict[str, object]:
        sites = (await server.client.get("/api/sites")).json()["sites"]
        return {key: sites[0][key] for key in ("lacks", "newer", "twin")}

    await server.state.site_connected(hello())
    assert await card() == {
        "lacks": ["configure", "new-key", "not-taken", "recordings", "run"],
        "newer": False,
        "twin": None,
    }
    can = (*(skill.value for skill in WORKER_SKILLS), "teleport")
    await server.state.site_connected(msgspec.structs.replace(hello(), can=can, speaks=PROTOCOL_VERSION + 1))
    assert await card() == {"lacks": [], "newer": True, "twin": None}
    server.state.copy_noticed(SITE, ("192.0.2.1", "192.0.2.2"))
    twin = (await card())["twin"]
    assert isinstance(twin, dict)
    assert twin["addresses"] == ["192.0.2.1", "192.0.2.2"]
    server.clock.go(86_400 + 1)
    await server.sign_in()
    assert (await card())["twin"] is None


async def test_what_was_decided_outlives_a_restart(tmp_path: Path) -> None:
    key = SiteKey.make()
    async with running_app(tmp_path) as server:
        await server.sign_in()
        await enrol(server, await made(server), key)
    async with running_app(tmp_path) as server:
        assert server.state.site_key("na-hoan") == key.public_text()
        await server.sign_in()
        await server.client.patch("/api/sites/na-hoan", json={"revoked": True})
    async with running_app(tmp_path) as server:
        assert server.state.enrolments.barred("na-hoan") is not None
