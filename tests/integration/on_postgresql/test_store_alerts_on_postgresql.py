"""tests/unit/test_store_alerts.py on PostgreSQL."""

from tests.unit.test_store_alerts import *  # noqa: F403
