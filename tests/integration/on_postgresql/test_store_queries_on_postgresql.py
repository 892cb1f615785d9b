"""tests/unit/test_store_queries.py on PostgreSQL."""

from tests.unit.test_store_queries import *  # noqa: F403
