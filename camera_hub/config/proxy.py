"""An HTTP proxy's address, perhaps with user and password: a secret, checked as all addresses are."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from camera_hub.config.address import network_problem, split_credentials
from camera_hub.config.section import wrong

_EXAMPLE = "http://proxy.example.vn:3128"


def _checked(proxy: SecretStr) -> SecretStr:
    bare = split_credentials(proxy.get_secret_value()).address.rstrip("/")
    problem = network_problem(bare, ("http", "https"), _EXAMPLE)
    if problem or urlsplit(bare).path or urlsplit(bare).query:
        raise wrong(problem or f"has a path; write it like {_EXAMPLE}")
    return proxy


Proxy = Annotated[SecretStr, AfterValidator(_checked)]
