"""A worker's key while it is changed: what the server has is always on the disk."""

from pathlib import Path

import pytest

from camera_hub.link import handshake
from camera_hub.link.handshake import SiteKey
from camera_hub.link.worker.keys import WorkerKey


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tuc-tranh.key"


def test_the_next_key_takes_the_old_ones_place_when_the_server_takes_it(path: Path) -> None:
    key = WorkerKey.of(path)
    old, new = key.to_show().public_bytes(), key.next_key().public_bytes()
    assert not key.taken(old)
    assert key.to_show().public_bytes() == old
    assert key.taken(new)
    assert key.to_show().public_bytes() == WorkerKey.of(path).to_show().public_bytes() == new
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_lost_answer_does_not_lock_the_worker_out(path: Path) -> None:
    key = WorkerKey.of(path)
    old, new = key.to_show().public_bytes(), key.next_key().public_bytes()
    for begun_anew in (key, WorkerKey.of(path)):
        assert begun_anew.to_show().public_bytes() == old
        begun_anew.refused()  # the server has taken the next one, and its answer was lost
        assert begun_anew.to_show().public_bytes() == new
        begun_anew.refused()  # or it has taken none of them
        assert begun_anew.to_show().public_bytes() == old
    key.refused()
    key.accepted()
    assert WorkerKey.of(path).to_show().public_bytes() == new


def test_a_key_that_stands_in_the_servers_config_is_not_changed() -> None:
    key = WorkerKey(SiteKey.make())
    assert not key.may_change
    before = key.to_show().public_bytes()
    key.refused()
    assert key.to_show().public_bytes() == before
    assert not key.taken(before)


def test_a_new_key_is_signed_by_both_and_for_this_site_and_nonce() -> None:
    old, new, nonce = SiteKey.make(), SiteKey.make(), b"n" * 32
    told = handshake.new_key(nonce, "khe-coc", old, new)
    assert handshake.is_new_key(nonce, "khe-coc", old.public_text(), told)
    assert not handshake.is_new_key(b"m" * 32, "khe-coc", old.public_text(), told)
    assert not handshake.is_new_key(nonce, "other", old.public_text(), told)
    assert not handshake.is_new_key(nonce, "khe-coc", new.public_text(), told)
    thief = handshake.new_key(nonce, "khe-coc", SiteKey.make(), new)
    assert not handshake.is_new_key(nonce, "khe-coc", old.public_text(), thief)
