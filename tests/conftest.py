"""The files that take longest begin first, so that no worker is left alone with one of them at the end."""

import pytest

LONG = (
    # of tests/unit and tests/integration
    "test_live_soak",
    "test_motion_gate_streams",
    "test_link_narrow",
    "test_enrol",
    "test_hub_runs",
    "test_hub_in_trouble",
    "test_motion_gate_recall",
    "test_rehearsal",
    "test_hub_apart",
    "test_wheel",
    "test_compose",
    "test_hub_live",
    # of tests/browser
    "test_dashboard_webrtc",
    "test_hub_live_player",
    "test_dashboard_wall",
    "test_hub_dashboard",
    "test_dashboard_live",
    "test_hub_live_transcode",
    "test_hub_live_mse",
    "test_dashboard",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))
