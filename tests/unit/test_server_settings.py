"""What the server is told comes from the configuration, and no secret of it is ever printed."""

from pathlib import Path

import pytest

from camera_hub.config import ConfigError, load_config
from camera_hub.server.settings import KnownSite, ServerSettings

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
CONFIG = f"""
site: {{id: tuc-tranh, name: Xã Tức Tranh}}
storage: {{path: kept}}
server:
  port: 9000
  sites: [{{id: khe-coc, name: Xóm Khe Cốc, key: {KEY}}}]
  keep_events_days: 30
  keep_media_gb: 1.5
  metrics_token: token-of-the-metrics
users: [{{name: an, display_name: An, role: police, password: mật khẩu của An}}]
"""
OWN = KnownSite("tuc-tranh", "Xã Tức Tranh", "own key")


def _load(folder: Path, text: str = CONFIG) -> ServerSettings:
    file = folder / "hub.yaml"
    file.write_text(text)
    return ServerSettings.of(load_config(file, {}), OWN)


def test_all_of_it_arrives(tmp_path: Path) -> None:
    settings = _load(tmp_path)
    assert settings.data == tmp_path / "kept"
    assert (settings.host, settings.port) == ("127.0.0.1", 9000)
    assert settings.sites == (KnownSite("khe-coc", "Xóm Khe Cốc", KEY), OWN)
    assert (settings.keep_events_days, settings.keep_media_gb) == (30, 1.5)
    assert settings.metrics_token == "token-of-the-metrics"
    (user,) = settings.users
    assert (user.name, user.role, user.password) == ("an", "police", "mật khẩu của An")


def test_a_site_that_the_file_names_is_not_taken_twice(tmp_path: Path) -> None:
    settings = _load(tmp_path, CONFIG.replace("id: khe-coc", "id: tuc-tranh"))
    assert [site.key for site in settings.sites] == [KEY]


def test_no_secret_is_printed(tmp_path: Path) -> None:
    settings = _load(tmp_path)
    for text in (repr(settings), str(settings), repr(settings.users)):
        assert "mật khẩu" not in text
        assert "token-of-the-metrics" not in text


def test_a_file_without_a_server_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="server"):
        _load(tmp_path, "site: {id: khe-coc, name: Xóm Khe Cốc}")
