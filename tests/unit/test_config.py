"""A configuration is read whole or refused whole, and an error says where, what and what instead."""

import base64
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from camera_hub.config import CameraConfig, Config, ConfigError, StreamsConfig, load_config

KEY = base64.b64encode(bytes(range(32))).decode()
SITE = "site: {id: khe-coc, name: Xóm Khe Cốc}\n"
CAMERA = SITE + "cameras:\n- id: cong\n  name: Cổng\n  streams: {main: rtsp://10.0.0.1/a}\n"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        file = tmp_path / "hub.yaml"
        file.write_text(text)
        return file

    return written


def problems(file: Path, environment: dict[str, str] | None = None) -> list[str]:
    """What load_config complains of, without the folder's name."""
    with pytest.raises(ConfigError) as caught:
        load_config(file, environment or {})
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    return [line.replace(f"{file.parent}{os.sep}", "") for line in str(caught.value).splitlines()]


def test_a_whole_configuration(write: Write, tmp_path: Path) -> None:
    config = load_config(
        write(f"""
site: {{id: khe-coc, name: Xóm Khe Cốc}}
storage: {{path: ../data, max_gb: 1.5}}
cameras:
- id: cong-lang
  name: Cổng làng
  streams: {{main: "rtsp://10.0.0.1/main", sub: "rtsp://10.0.0.1/sub"}}
  zones: [{{name: Lòng đường, polygon: [[0, 0], [1, 0], [1, 1]]}}]
- id: thu
  name: Thử
  streams: {{main: clips/a.mp4}}
  clip: {{loop: yes}}
- {{id: tu-tim, name: Tự tìm, onvif: {{host: 10.0.0.3}}}}
link: {{servers: [{{name: xa, url: "wss://hub.example/api/link"}}]}}
server: {{sites: [{{id: khe-coc, name: Khe Cốc, key: {KEY}}}]}}
users: [{{name: an-ninh, role: police, password: long enough}}]
""")
    )
    assert config.site.timezone == "Asia/Ho_Chi_Minh"
    assert config.storage.path == (tmp_path / "../data").resolve()
    assert (config.storage.max_bytes, config.storage.keep_free_bytes) == (1_500_000_000, 2_000_000_000)
    lane, clip, onvif = config.require_worker()
    assert lane.info().zones[0].polygon == ((0, 0), (1, 0), (1, 1))
    assert (lane.stream_names, lane.recorded_streams, lane.motion_stream) == (
        ("main", "sub"),
        ("main", "sub"),
        "sub",
    )
    assert not lane.is_clip
    assert clip.is_clip
    assert clip.clip.loop
    assert clip.streams == StreamsConfig(main=str(tmp_path / "clips/a.mp4"))
    assert (clip.stream_names, clip.motion_stream) == (("main",), "main")
    assert onvif.onvif is not None
    assert onvif.stream_names == ("main", "sub")
    assert config.require_server().sites[0].public_key == bytes(range(32))
    assert config.camera("thu") is clip
    assert config.camera("nobody") is None
    assert pickle.loads(pickle.dumps(config)) == config


def test_storage_is_beside_the_file_when_nothing_is_said_of_it(write: Write, tmp_path: Path) -> None:
    assert load_config(write(SITE)).storage.path == tmp_path / "data"


def test_keys_without_a_value_count_as_not_given(write: Write) -> None:
    config = load_config(write(CAMERA + "  zones:\n  masks: ~\nusers:\n"))
    assert config.cameras[0].zones == ()
    assert config.users == ()


def test_a_role_without_its_part_is_refused_in_words(write: Write) -> None:
    file = write(SITE)
    config = load_config(file)
    with pytest.raises(
        ConfigError, match=r"hub.yaml: cameras: there are none, and a worker needs at least one"
    ):
        config.require_worker()
    with pytest.raises(
        ConfigError, match=r"hub.yaml: server: is missing, and a server needs it; add `server"
    ):
        config.require_server()


# -- the file ------------------------------------------------------------------------------------


def test_no_file_a_folder_and_an_empty_file(write: Write, tmp_path: Path) -> None:
    assert problems(tmp_path / "none.yaml") == ["none.yaml: there is no such file; check the path"]
    (tmp_path / "folder").mkdir()
    assert problems(tmp_path / "folder") == ["folder: is a folder; give the path of the file in it"]
    for text in ("", "# nothing\n", "~"):
        assert problems(write(text)) == ["hub.yaml: is empty; start from a sample in config/"]
    assert "has no keys" in problems(write("- a"))[0]


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")]
)
def test_a_file_that_cannot_be_read(write: Write, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error  # root may read every file, so no mode would do

    file = write(SITE)
    monkeypatch.setattr(Path, "open", refuse)
    assert problems(file)[0].startswith(
        ("hub.yaml: may not be read by this user", "hub.yaml: cannot be read: Input")
    )


def test_a_file_that_is_no_text_or_far_too_large(tmp_path: Path) -> None:
    file = tmp_path / "hub.yaml"
    file.write_bytes(b"site: {}\nname: \xff\xfe")
    assert problems(file) == ["hub.yaml:2: is not UTF-8 text; save it as UTF-8"]
    file.write_bytes(b"#" * 1_100_000)
    assert "larger than 1 MB" in problems(file)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("site:\n\t- 1", "2: column 1: a line starts with a tab; use spaces"),
        ("site: a: b", "1: column 8: a `:` stands where none can"),
        ("site: [1,\nb: 2", "2: column 5: a [ is opened and not closed"),
        ("site: 'x\n", "2: column 1: a quote is opened and never closed"),
        ("site: 1\n---\nsite: 2", "2: column 1: there is a second `---`"),
        ("password: @hunter2", "1: column 11: a value starts with a sign that YAML keeps for itself"),
        ("password: *hunter2", "1: column 11: a value starts with *; put it in quotes"),
        ('password: "hunter2\\q"', "1: column 20: a \\ inside of"),
        ("site:\n  id: a\n name: b", "3: column 2: this line is indented otherwise"),
        ("site: 1\nhunter2\nserver: 2", "2: column 1: a `:` is missing after the key"),
    ],
)
def test_bad_yaml_in_plain_words(write: Write, text: str, said: str) -> None:
    (problem,) = problems(write(text))
    assert problem.startswith(f"hub.yaml:{said}")
    assert "hunter2" not in problem


def test_a_key_that_is_there_twice(write: Write) -> None:
    said = "hub.yaml:6: cameras[0].name: is there twice, first in line 4; keep one of them"
    assert problems(write(CAMERA + "  name: B\n")) == [said]


def test_aliases_and_merges_work_and_cannot_be_endless(write: Write) -> None:
    text = CAMERA.replace("- id", "- &first\n  id") + "- <<: *first\n  id: hai\n"
    config = load_config(write(text))
    assert config.cameras[1] == config.cameras[0].model_copy(update={"id": "hai"})
    assert "nested without end" in problems(write("site: &a [*a]"))[0]
    bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "nested without end" in problems(write(bomb))[0]


# -- what it says --------------------------------------------------------------------------------


def test_all_errors_come_at_once_each_with_line_key_and_remedy(write: Write) -> None:
    text = """\
site: {id: Khe Cốc, name: Xóm, timezone: Asia/Hanoi}
storage: {max_gb: 0, pth: x}
cameras:
- id: mot
  name: 12
  streams: {main: rtsp://10.0.0.1/a}
  clip: {loop: true}
  record: [main, main, sub, third]
  zones:
  - name: A
    polygon: [[0, 0], [1, 1]]
  - name: A
    polygon: [[0, 0], [0.5, 0.5], [1, 1]]
  - name: B
    polygon: [[0, 0], [640, 0], [0.5]]
  - name: C
    polygon: 0,0,1,1
- id: mot
  name: Hai
- id: ba
  name: Ba
  streams: {main: http://10.0.0.1/a}
  onvif: {host: http://10.0.0.1, port: 70000}
link: {servers: [{name: xa, url: https://hub.example}]}
server: {port: 0, sites: [{id: a, name: A, key: AAAA}, {id: a, name: B, key: "!"}]}
users: [{name: Cảnh sát, role: boss, password: short}]
practice: yes
"""
    said = problems(write(text))
    expected = [
        "1: site.id: `Khe Cốc` is no short name for machines; use small letters, digits and single hyphens",
        "1: site.timezone: `Asia/Hanoi` is not a time zone; use a name such as Asia/Ho_Chi_Minh",
        "2: storage.max_gb: `0` is too small; give a number above 0",
        "2: storage.pth: there is no such key; did you mean `path`?",
        "5: cameras[0].name: `12` is not text; put the value in quotes",
        "7: cameras[0].clip: is only for clips, and this camera has none",
        "8: cameras[0].record[1]: `main` is there twice",
        "8: cameras[0].record[2]: `sub` cannot be kept: the camera has no sub stream",
        "8: cameras[0].record[3]: `third` is not one of the choices; use main or sub",
        "11: cameras[0].zones[0].polygon: has 2 points; give at least 3, each as [x, y] with x and y",
        "12: cameras[0].zones[1].name: `A` is the same as that of zones[0]; give each zone its own name",
        "13: cameras[0].zones[1].polygon: has no area",
        "15: cameras[0].zones[2].polygon[1][0]: is 640, outside the picture; x and y go from 0",
        "15: cameras[0].zones[2].polygon[2]: is not a point; write it as [x, y]",
        "17: cameras[0].zones[3].polygon: is not a list of points",
        "18: cameras[1].id: `mot` is the same as that of cameras[0]; give each camera its own id",
        "18: cameras[1]: has neither `streams` nor `onvif`",
        "22: cameras[2].streams.main: starts with http://; give an rtsp:// address, or the path of a clip",
        "23: cameras[2].onvif: stands beside `streams`; keep only one",
        "23: cameras[2].onvif.host: `http://10.0.0.1` is not a bare address",
        "23: cameras[2].onvif.port: `70000` is too large; give a number up to 65535",
        "24: link.servers[0].url: does not start with ws:// or wss://; write it like wss://",
        "25: server.port: `0` is too small; give a number from 1 on",
        "25: server.sites[0].key: has 3 bytes, and a key has 32",
        "25: server.sites[1].id: `a` is the same as that of sites[0]",
        "25: server.sites[1].key: is not a key; copy the line that `camera-hub key` prints",
        "26: users[0].name: `Cảnh sát` is no name to sign in with",
        "26: users[0].password: is too short; give at least 8 characters",
        "26: users[0].role: `boss` is not one of the choices; use viewer, police or admin",
        "27: practice: `yes` is not a group of keys",
    ]
    for line in expected:
        assert any(each.startswith(f"hub.yaml:{line}") for each in said), (line, said)
    assert len(said) == len(expected)
    lines = [int(each.split(":")[1]) for each in said]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("camera", "said"),
    [
        ("streams: {main: a.mov}", "streams.main: is neither an rtsp:// address nor the path of a clip"),
        ("streams: {main: ''}", "streams.main: is empty"),
        ("streams: {main: 'rtsp:///a'}", "streams.main: names no host"),
        ("streams: {main: 'rtsp://h:0/a'}", "streams.main: names no host"),
        ("streams: {main: 'rtsp://u:hunter2/x@h/a'}", "streams.main: has a port that is no number"),
        ("streams: {main: 'rtsp://u/hunter2@h/a'}", "streams.main: has an @ after the host"),
        ("streams: {main: a.mp4, sub: 'rtsp://h/a'}", "streams.sub: and main are of two kinds"),
        ("streams: {main: a.mp4}\n  password: hunter2", "password: is given, but a clip asks for none"),
        ("streams: {main: 'rtsp://h/a'}\n  password: [hunter2]", "password: is not text"),
        (
            "streams: {main: 'rtsp://u:hunter2@h/a', sub: 'rtsp://u:x@h/b'}",
            "streams.sub: has another user name",
        ),
        ("streams: {main: 'rtsp://u:hunter2@h/a'}\n  username: b", "streams.main: has another user name"),
        ("streams: {sub: 'rtsp://h/a'}", "streams.main: is missing; add it"),
        ("streams: 'rtsp://u:hunter2@h/a'", "streams: is not a group of keys"),
        ("onvif: {host: h}\n  clip: {loop: true}", "clip: is only for clips"),
        (
            "onvif: {host: h}\n  colour: hunter2",
            "colour: there is no such key; here may stand: id, name, place",
        ),
        (
            "onvif: {host: h}\n  transport: http",
            "transport: `http` is not one of the choices; use tcp or udp",
        ),
        (
            "onvif: {host: h}\n  masks: [{nmae: a}]",
            "masks[0].nmae: there is no such key; did you mean `name`?",
        ),
    ],
)
def test_a_camera_that_cannot_be_so(write: Write, camera: str, said: str) -> None:
    found = problems(write(f"{SITE}cameras:\n- id: a\n  name: A\n  {camera}\n"))
    assert any(f"cameras[0].{said}" in each for each in found), found
    assert "hunter2" not in "".join(found)


def test_storage_link_and_log_that_cannot_be_so(write: Write) -> None:
    text = f"""{SITE}storage: {{max_gb: .inf, keep_free_gb: -1, segment_s: soon}}
link: {{servers: [{{name: a, url: "wss://u:hunter2@h"}}, {{name: a, url: "ws://h", ca_file: none.pem}}]}}
log: {{level: loud, format: xml}}
"""
    said = problems(write(text))
    assert len(said) == 8
    assert "hunter2" not in "".join(said)
    assert any("servers[1].ca_file: `none.pem` is no file" in each for each in said)
    assert any("servers[0].url: has a user name in it" in each for each in said)


# -- secrets -------------------------------------------------------------------------------------


def test_credentials_in_an_address_are_moved_out_of_it(write: Write) -> None:
    streams = "streams: {main: 'RTSP://xem:m%40t@10.0.0.1:554/a?b=1', sub: 'rtsp://xem:m%40t@10.0.0.1/b'}"
    camera = load_config(write(f"{SITE}cameras: [{{id: a, name: A, {streams}}}]")).cameras[0]
    assert camera.streams == StreamsConfig(main="rtsp://10.0.0.1:554/a?b=1", sub="rtsp://10.0.0.1/b")
    assert camera.username == "xem"
    assert camera.password is not None
    assert camera.password.get_secret_value() == "m@t"
    assert "m@t" not in repr(camera) + str(camera.info())
    assert camera.secret_values() == ("m@t",)


def test_a_camera_built_in_code_follows_the_same_rules() -> None:
    camera = CameraConfig(id="a", name="A", streams=StreamsConfig(main="rtsp://u:p@h/a"))
    assert (camera.streams, camera.username) == (StreamsConfig(main="rtsp://h/a"), "u")
    again = CameraConfig.model_validate(camera.model_dump(exclude_unset=True))
    assert again == camera


def test_names_are_filled_in_from_the_environment_then_from_the_secrets_file(
    write: Write, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets.yaml"
    secrets.write_text("A: from file\nB: 012345\nPORT: 9000\n")
    secrets.chmod(0o600)
    text = f"""{SITE}secrets: secrets.yaml
cameras:
- {{id: a, name: "${{A}}", password: "${{B}}", streams: {{main: "rtsp://h/a"}}}}
- {{id: b, name: "$${{A}}", streams: {{main: "rtsp://xem:${{C}}@h/${{B}}"}}}}
server: {{port: "${{PORT}}"}}
"""
    config = load_config(write(text), {"A": "from environment", "C": "/p@ss:w#rd?"})
    first, second = config.cameras
    assert (first.name, second.name) == ("from environment", "${A}")
    assert first.password is not None
    assert first.password.get_secret_value() == "012345"
    assert second.password is not None
    assert second.password.get_secret_value() == "/p@ss:w#rd?"
    assert config.require_server().port == 9000


def test_a_name_without_a_value_says_where_to_set_it_and_nothing_else(write: Write) -> None:
    text = CAMERA + "  password: ${PW}\nserver: {port: '${PORT}', metrics_token: '${no name}'}\n"
    where = "in the environment, or in a secrets file that `secrets:` names"
    assert problems(write(text)) == [
        f"hub.yaml:6: cameras[0].password: ${{PW}} has no value; set PW {where}",
        f"hub.yaml:7: server.port: ${{PORT}} has no value; set PORT {where}",
        "hub.yaml:7: server.metrics_token: has a ${ without a name and a }; "
        "write ${NAME}, or $${ for the two signs themselves",
    ]
    (said,) = problems(write(CAMERA + "  password: ${PW}\nsecrets: s.yaml\n"))
    assert said.endswith(
        "add `PW: ...` to the secrets file s.yaml (not there yet; make it, then: chmod 600 s.yaml)"
    )


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o700])
def test_a_secrets_file_that_others_could_read_is_refused_with_the_remedy(
    write: Write, tmp_path: Path, mode: int
) -> None:
    secrets = tmp_path / "secrets.yaml"
    secrets.write_text("PW: hunter2\n")
    secrets.chmod(mode)
    (said,) = problems(write(CAMERA + "  password: ${PW}\nsecrets: secrets.yaml\n"))
    assert said == (
        f"secrets.yaml: others could read it (its mode is {mode:o}, and must be 600); "
        "run: chmod 600 secrets.yaml"
    )


def test_a_secrets_file_that_is_wrong_in_itself(write: Write, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.yaml"
    secrets.write_text("PW: [hunter2]\nQ: @hunter2\n")
    secrets.chmod(0o600)
    file = write(CAMERA + "  colour: red\nsecrets: secrets.yaml\n")
    said = problems(file)
    assert len(said) == 2  # its own fault, and what is wrong beside it
    assert any(each.startswith("secrets.yaml:2: column 4") for each in said)
    assert "hunter2" not in "".join(said)
    secrets.write_text("PW: [hunter2]\n")
    assert any(
        each == "secrets.yaml:1: PW: is not a single value; write `NAME: value`" for each in problems(file)
    )


def test_live_views_ports_and_servers(write: Write) -> None:
    text = CAMERA + "live:\n  udp_ports: 50000-50100\n  stun: ['stun:a.vn', 'stun:[2001:db8::1]:3478']\n"
    text += "  turn: {urls: ['turns:a.vn:5349?transport=tcp'], secret: tam-chin-muoi}\n"
    live = load_config(write(text), {}).live
    assert live.ports == range(50_000, 50_101)
    assert live.turn is not None
    assert load_config(write(CAMERA), {}).live.ports is None

    wrong = CAMERA + "live:\n  udp_ports: 50100-50000\n  stun: ['turn:a.vn']\n  max_viewers: 0\n"
    wrong += "  turn: {urls: ['http://a.vn'], secret: kurz}\n"
    said = problems(write(wrong))
    assert said[:2] == [
        "hub.yaml:7: live.udp_ports: `50100-50000` is no range of ports; "
        "write the first and the last, as in 50000-50100",
        "hub.yaml:8: live.stun: has an entry that names no STUN server; write stun:HOST:PORT",
    ]
    assert len(said) == 5
    assert "kurz" not in "".join(said)


def test_secret_values_are_all_passwords_and_tokens() -> None:
    config = Config.model_validate(
        {
            "site": {"id": "a", "name": "A"},
            "cameras": [{"id": "a", "name": "A", "onvif": {"host": "h"}, "password": "mot-hai"}],
            "server": {"metrics_token": "ba-bon"},
            "users": [{"name": "u", "password": "nam sau bay"}],
            "live": {"turn": {"urls": ["turn:a"], "secret": "tam-chin-muoi"}},
        }
    )
    assert config.secret_values() == ("mot-hai", "nam sau bay", "ba-bon", "tam-chin-muoi")
    assert not any(value in repr(config) for value in config.secret_values())
