"""tests/integration/test_api_settings.py on PostgreSQL."""

from tests.integration.test_api_settings import *  # noqa: F403
