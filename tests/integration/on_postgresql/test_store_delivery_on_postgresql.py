"""tests/unit/test_store_delivery.py on PostgreSQL."""

from tests.unit.test_store_delivery import *  # noqa: F403

del test_a_database_that_is_full_takes_nothing_and_says_so  # noqa: F821 - it is made full by SQLite's own means
