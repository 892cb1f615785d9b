"""Passwords in a configuration come from where only its owner can read, and are never shown."""

from functools import partial
from pathlib import Path

import pytest

from camera_hub.config import CameraConfig, Config, StreamsConfig, load_config
from tests.unit.config_files import CAMERA, SITE, Write, problems, written


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return partial(written, tmp_path)


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
