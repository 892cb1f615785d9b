"""`camera-hub enrol` against a real server process over real TLS: let in once, and refused in words.

Also what may stand between the two: an HTTP proxy, and somebody who opens TLS.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.config import load_config
from camera_hub.ingest import enrolling
from camera_hub.link.enrolment import Code
from tests.integration.test_hub_runs import camera
from tests.support.between import interceptor, proxy
from tests.support.certificates import Authority, Files, self_signed
from tests.support.clocks import HandClock
from tests.support.hub import PASSWORD, Command, command, users, write_config
from tests.support.lane import make_lane
from tests.support.waiting import free_port, until_blocking

SITE = {"id": "khe-coc", "name": "Xóm Khe Cốc"}


class Commune:
    """A server process, and its administrator."""

    def __init__(self, folder: Path, tls: dict[str, str] | None, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        section: dict[str, object] = {"host": "127.0.0.1", "port": self.port, **({"tls": tls} if tls else {})}
        self.config = write_config(
            folder / "tuc-tranh.yaml",
            site={"id": "tuc-tranh", "name": "Xã Tức Tranh"},
            server=section,
            users=users(),
        )
        # Which certificate it is, is not this client's question.
        self.http = httpx.Client(base_url=self.address, timeout=20, verify=False)

    def sign_in(self) -> "Commune":
        def up() -> bool:
            try:
                return self.http.get("/healthz").status_code == 200
            except httpx.TransportError:
                return False

        until_blocking(up, 40)
        answer = self.http.post("/api/login", json={"username": "canh-sat", "password": PASSWORD})
        assert answer.status_code == 200
        return self

    def code(self, site: dict[str, str] = SITE) -> str:
        answer = self.http.post("/api/sites", json=site)
        if answer.status_code == 409:
            answer = self.http.post(f"/api/sites/{site['id']}/code")
        return str(answer.json()["code"])

    def site(self) -> dict[str, Any]:
        sites: list[dict[str, Any]] = self.http.get("/api/sites").json()["sites"]
        return next(site for site in sites if site["id"] == "khe-coc")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def commune(tmp_path_factory: pytest.TempPathFactory, tls: Files) -> Iterator[Commune]:
    """One that does TLS itself, with a certificate that nobody but itself vouches for."""
    folder = tmp_path_factory.mktemp("commune")
    made = Commune(folder, {"certificate": str(tls.certificate), "key": str(tls.key)})
    with command("serve", str(made.config), log=folder / "serve.log"):
        yield made.sign_in()


def hamlet(folder: Path, **sections: object) -> Path:
    return write_config(folder / "khe-coc.yaml", **sections)


def enrol(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "camera_hub", "enrol", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


async def enrol_beside(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same while this process's loop plays somebody between."""
    return await asyncio.to_thread(lambda: enrol(*arguments, **environment))


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It said why in a sentence, without a traceback."""
    assert done.returncode in (1, 2), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_a_code_is_used_once_and_the_servers_certificate_is_pinned(
    commune: Commune, tls: Files, tmp_path: Path
) -> None:
    config, code = hamlet(tmp_path), commune.code()
    done = enrol(f"{commune.address}/sites", code.lower(), str(config))
    assert done.returncode == 0, done.stderr
    printed = subprocess.run(
        ["openssl", "x509", "-in", str(tls.certificate), "-noout", "-fingerprint", "-sha256"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.partition("=")[2].strip() in done.stdout
    assert commune.site()["enrolment"] == "enrolled"

    assert enrol(commune.address, code, str(config)).returncode == 0  # the same worker may ask again
    other = tmp_path / "copy"
    other.mkdir()
    refused(enrol(commune.address, code, str(hamlet(other))), "used by another worker")

    listed = [sys.executable, "-m", "camera_hub", "servers", str(config)]
    told = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    assert "tuc-tranh" in told
    assert "its certificate alone" in told
    subprocess.run([*listed, "--forget", "tuc-tranh"], check=True, capture_output=True)
    assert subprocess.run(listed, capture_output=True, text=True, check=True).stdout == ""


def test_wrong_codes_sites_and_addresses_are_said_in_words(commune: Commune, tmp_path: Path) -> None:
    config, code = str(hamlet(tmp_path)), commune.code()
    refused(enrol(commune.address, "7K2M", config), "that is no code")
    refused(enrol(commune.address, str(Code.make()), config), "no such code")
    refused(enrol(f"https://127.0.0.1:{free_port()}", code, config), "nothing listens")
    refused(enrol("ftp://127.0.0.1", code, config), "no address of a server")
    refused(enrol(commune.address.replace("https", "http"), code, config), "does not answer as a web server")
    other = tmp_path / "other"
    other.mkdir()
    elsewhere = hamlet(other, site={"id": "na-hoan", "name": "Xóm Nà Hoàn"})
    refused(enrol(commune.address, code, str(elsewhere)), "this code is for site 'khe-coc'")
    refused(enrol(commune.address, code, config, "--name", "../../tuc-tranh"), "cannot be our name")
    assert list(tmp_path.rglob("*.json")) == []
    # The code has been used by this worker, and holds for it.
    assert enrol(commune.address, code, config, "--name", "xa").returncode == 0
    assert (tmp_path / "data-khe-coc" / "servers" / "xa.json").exists()


async def test_a_clock_that_is_years_off_is_said_and_does_no_harm(commune: Commune, tmp_path: Path) -> None:
    config, decade_us = load_config(hamlet(tmp_path)), 10 * 365 * 86_400 * 1_000_000
    code = await asyncio.to_thread(commune.code)
    wrong = HandClock(SYSTEM_CLOCK.wall_us() - decade_us)
    done = await enrolling.enrol(config, commune.address, code, clock=wrong)
    assert done.clock_apart_s == pytest.approx(-decade_us / 1e6, abs=60)
    again = await enrolling.enrol(config, commune.address, code)
    assert again.clock_apart_s == 0


async def test_somebody_who_opens_tls_between_gets_nobody_enrolled(
    commune: Commune, tls: Files, tmp_path: Path
) -> None:
    config, code = hamlet(tmp_path), commune.code()
    async with interceptor(self_signed(tmp_path, "between"), commune.port, tls.certificate) as port:
        done = await enrol_beside(f"https://127.0.0.1:{port}", code, str(config))
    refused(done, "somebody stands between")
    assert commune.site()["code_expires"] is not None  # the code is still good
    assert (await enrol_beside(commune.address, code, str(config))).returncode == 0


async def test_the_way_leads_through_a_proxy_that_the_environment_or_the_config_names(
    commune: Commune, tmp_path: Path
) -> None:
    address = f"https://hub.test:{commune.port}"  # a name that only the proxy knows
    async with proxy() as found:
        config = str(hamlet(tmp_path))
        environment = {"HTTPS_PROXY": f"http://127.0.0.1:{found.port}", "NO_PROXY": ""}
        done = await enrol_beside(address, commune.code(), config, **environment)
        assert done.returncode == 0, done.stderr
        assert set(found.asked) == {f"CONNECT hub.test:{commune.port}"}
    folder = tmp_path / "by-config"
    folder.mkdir()
    async with proxy(password="secret-word") as found:
        named = hamlet(folder, link={"proxy": f"http://me:secret-word@127.0.0.1:{found.port}"})
        done = await enrol_beside(address, commune.code(), str(named))
        assert done.returncode == 0, done.stderr
        assert found.asked


async def test_a_proxy_that_refuses_is_named_with_what_to_do(commune: Commune, tmp_path: Path) -> None:
    address, code = f"https://hub.test:{commune.port}", commune.code()
    async with proxy(password="secret-word") as found:
        named = hamlet(tmp_path, link={"proxy": f"http://me:wrong-word@127.0.0.1:{found.port}"})
        done = await enrol_beside(address, code, str(named))
        refused(done, "status 407", "link.proxy")
        assert "wrong-word" not in done.stderr
    async with proxy(refuses=403) as found:
        named = hamlet(tmp_path, link={"proxy": f"http://127.0.0.1:{found.port}"})
        refused(await enrol_beside(address, code, str(named)), "the proxy refuses", "403")
    dead = hamlet(tmp_path, link={"proxy": f"http://127.0.0.1:{free_port()}"})
    refused(await enrol_beside(address, code, str(dead)), "nothing listens at the proxy 127.0.0.1")


def test_an_authority_of_ones_own_is_pinned_where_its_certificate_is_given(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    shown, stale = authority.server(), authority.server("stale", days=(-30, -1))
    folder = tmp_path / "commune"
    folder.mkdir()
    made = Commune(folder, {"certificate": str(shown.certificate), "key": str(shown.key)})
    with command("serve", str(made.config), log=folder / "serve.log"):
        code, config = made.sign_in().code(), str(hamlet(tmp_path))
        stranger = Authority(folder, "stranger")
        refused(enrol(made.address, code, config, "--ca-file", str(stranger.file)), "is not trusted")
        done = enrol(made.address, code, config, "--ca-file", str(authority.file))
        assert done.returncode == 0, done.stderr
        assert "the authority in" in done.stdout
    stored = list((tmp_path / "data-khe-coc" / "servers").glob("*.pem"))
    assert [path.read_bytes() for path in stored] == [authority.file.read_bytes()]
    again = Commune(folder, {"certificate": str(stale.certificate), "key": str(stale.key)})
    with command("serve", str(again.config), log=folder / "stale.log"):
        code = again.sign_in().code()
        done = enrol(again.address, code, config, "--ca-file", str(authority.file))
        refused(done, "expired", "this machine's clock")


def test_behind_a_web_server_whose_certificate_it_does_not_know_the_server_vouches_for_none(
    tmp_path: Path,
) -> None:
    """Without `server.tls`, TLS is another program's; here one that passes all on."""
    shown = self_signed(tmp_path)
    made = Commune(tmp_path, None)
    with command("serve", str(made.config), log=tmp_path / "serve.log"):
        code, config = made.sign_in().code(), str(hamlet(tmp_path))

        async def ask() -> subprocess.CompletedProcess[str]:
            async with interceptor(shown, made.port, None) as port:
                return await enrol_beside(f"https://127.0.0.1:{port}", code, config)

        refused(asyncio.run(ask()), "server.tls.certificate", "--ca-file")
        plain = enrol(made.address, code, config)
        assert plain.returncode == 0, plain.stderr
        assert "not encrypted" in plain.stdout


def test_a_server_whose_key_is_not_its_certificates_does_not_start(tmp_path: Path, tls: Files) -> None:
    other = self_signed(tmp_path, "other")
    made = Commune(tmp_path, {"certificate": str(tls.certificate), "key": str(other.key)})
    with command("serve", str(made.config), log=tmp_path / "serve.log") as server:
        assert server.process.wait(30) == 1
        assert "server.tls" in server.text()


def test_a_hub_that_does_tls_itself_lets_in_its_own_worker_and_says_that_it_is_well(
    tmp_path: Path, tls: Files
) -> None:
    lane = make_lane(tmp_path / "lane.mp4", seconds=6, crossings=())
    made = Commune(tmp_path, {"certificate": str(tls.certificate), "key": str(tls.key)})
    section = {"host": "127.0.0.1", "port": made.port}
    files = {"certificate": str(tls.certificate), "key": str(tls.key)}
    config = hamlet(
        tmp_path, cameras=[camera("cong-lang", lane)], server={**section, "tls": files}, users=users()
    )
    with (
        command("serve", str(config), "--own-worker", log=tmp_path / "serve.log"),
        command("ingest", str(config), "--own-server", log=tmp_path / "ingest.log"),
    ):
        made.sign_in()
        until_blocking(lambda: made.site()["connected"], 60)
        assert made.site()["enrolment"] == "config"
        asked = [sys.executable, "-m", "camera_hub", "health", made.address]
        assert subprocess.run(asked, capture_output=True, check=False).returncode == 0


def ingesting(config: Path, log: Path) -> contextlib.AbstractContextManager[Command]:
    return command("ingest", str(config), log=log)


@pytest.mark.timeout(300)
def test_a_running_worker_links_is_copied_changes_its_key_and_is_cut_off(
    commune: Commune, tls: Files, tmp_path: Path
) -> None:
    lane = make_lane(tmp_path / "lane.mp4", seconds=6, crossings=())
    cameras = [camera("cong-lang", lane)]
    original, code = hamlet(tmp_path, cameras=cameras), commune.code()
    with ingesting(original, tmp_path / "original.log") as worker:
        until_blocking(lambda: "worker running" in worker.text(), 60)
        assert enrol(commune.address, code, str(original)).returncode == 0
        until_blocking(lambda: commune.site()["connected"], 60)
        assert (commune.site()["lacks"], commune.site()["newer"], commune.site()["twin"]) == ([], False, None)

        key_since = commune.site()["key_since"]
        assert commune.http.post("/api/sites/khe-coc/new-key").status_code == 202
        until_blocking(lambda: commune.site()["key_since"] != key_since)
        until_blocking(lambda: "the site has a new key" in worker.text())

        copied = tmp_path / "copied"
        copied.mkdir()
        shutil.copytree(tmp_path / "data-khe-coc" / "servers", copied / "data-khe-coc" / "servers")
        with ingesting(hamlet(copied, cameras=cameras), tmp_path / "copy.log") as copy:
            until_blocking(lambda: commune.site()["twin"], 60)
            until_blocking(lambda: "is a copy of it" in copy.text(), 60)
            assert commune.site()["twin"]["addresses"] == ["127.0.0.1", "127.0.0.1"]
            assert "two workers run with one key" in (commune.folder / "serve.log").read_text()

        until_blocking(lambda: commune.site()["connected"], 60)
        answer = commune.http.patch("/api/sites/khe-coc", json={"revoked": True})
        assert answer.json()["enrolment"] == "revoked"
        until_blocking(lambda: not commune.site()["connected"])
        until_blocking(lambda: "was revoked on this server" in worker.text())


@pytest.mark.timeout(300)
def test_a_worker_does_not_link_to_a_certificate_that_it_did_not_pin(tmp_path: Path, tls: Files) -> None:
    first = Commune(tmp_path, {"certificate": str(tls.certificate), "key": str(tls.key)})
    lane = make_lane(tmp_path / "lane.mp4", seconds=6, crossings=())
    config = hamlet(tmp_path, cameras=[camera("cong-lang", lane)])
    with command("serve", str(first.config), log=tmp_path / "first.log"):
        assert enrol(first.address, first.sign_in().code(), str(config)).returncode == 0
    other = self_signed(tmp_path, "other")
    second = Commune(tmp_path, {"certificate": str(other.certificate), "key": str(other.key)}, first.port)
    with command("serve", str(second.config), log=tmp_path / "second.log"):
        second.sign_in()
        with ingesting(config, tmp_path / "ingest.log") as worker:
            until_blocking(lambda: "is not the one that was pinned" in worker.text(), 60)
            assert not second.site()["connected"]
            assert "camera-hub enrol" in worker.text()
