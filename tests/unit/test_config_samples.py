"""The samples are right, and samples, schema, guide and code speak of the same keys."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from camera_hub.config import Config, ConfigError, json_schema, load_config
from tests.support.needs import ROOT

FOLDER = ROOT / "config"
SAMPLES = sorted(FOLDER.glob("*.yaml"))
VALUES = {"KHE_COC_KEY": base64.b64encode(bytes(range(32))).decode()}


def keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that may stand in the file, with its schema."""
    for section in [schema, *schema["$defs"].values()]:
        yield from section["properties"].items()


def environment(sample: Path) -> dict[str, str]:
    """A value for every name that the sample wants."""
    names = re.findall(r"\$\{(\w+)\}", sample.read_text())
    return {name: VALUES.get(name, f"mật khẩu {name}") for name in names}


def test_the_samples_are_there() -> None:
    assert [sample.name for sample in SAMPLES] == ["demo.yaml", "khe-coc.yaml", "tuc-tranh.yaml"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_loads(sample: Path, tmp_path: Path) -> None:
    alone = tmp_path / sample.name  # away from a secrets file that its reader may have made
    alone.write_text(sample.read_text())
    config = load_config(alone, environment(sample))
    assert len(config.cameras) == (0 if sample.name == "tuc-tranh.yaml" else 7)
    config.require_server()


def test_a_sample_whose_names_have_no_value_says_all_of_them(tmp_path: Path) -> None:
    alone = tmp_path / "khe-coc.yaml"
    alone.write_text((FOLDER / "khe-coc.yaml").read_text())
    names = {name for name in environment(alone) if name not in ("NAME", "METRICS_TOKEN")}
    with pytest.raises(ConfigError) as caught:
        load_config(alone, {})
    assert {re.search(r"\$\{(\w+)\}", problem.text)[1] for problem in caught.value.problems} == names  # type: ignore[index]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_is_valid_by_the_schema(sample: Path) -> None:
    data = YAML(typ="safe", pure=True).load(sample.read_text())
    jsonschema_rs.Draft202012Validator(json_schema()).validate(data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": {"id": "Khe Cốc", "name": "a"}},
        {"site": {"id": "a", "name": "a"}, "colour": 1},
        {"site": {"id": "a", "name": "a"}, "cameras": [{"id": "a", "name": "a"}]},
        {"site": {"id": "a", "name": "a"}, "server": {"port": 70000}},
    ],
)
def test_the_schema_refuses_what_the_hub_refuses(wrong: dict[str, Any]) -> None:
    validator = jsonschema_rs.Draft202012Validator(json_schema())
    assert not validator.is_valid(wrong)
    with pytest.raises(ValueError, match="validation error"):
        Config.model_validate(wrong)


def test_the_schema_beside_the_samples_is_the_one_that_the_command_prints() -> None:
    stored = json.loads((FOLDER / "camera-hub.schema.json").read_text())
    assert stored == json_schema(), "run: camera-hub schema > config/camera-hub.schema.json"
    for sample in SAMPLES:
        assert sample.read_text().startswith("# yaml-language-server: $schema=camera-hub.schema.json\n")


def test_every_key_has_a_description() -> None:
    assert [name for name, schema in keys(json_schema()) if not schema.get("description")] == []


def test_every_key_is_explained_in_a_sample_and_in_the_guide() -> None:
    samples = "\n".join(sample.read_text() for sample in SAMPLES)
    guide = (ROOT / "docs" / "operator.md").read_text()
    names = {name for name, _ in keys(json_schema())}
    assert len(names) > 40
    assert {name for name in names if not re.search(rf"\b{name}:", samples)} == set()
    assert {name for name in names if not re.search(rf"`(\w+\.)*{name}`", guide)} == set()
