"""tests/unit/test_store_verdicts.py on PostgreSQL."""

from tests.unit.test_store_verdicts import *  # noqa: F403
