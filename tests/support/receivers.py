"""Those who are told of alerts, for tests: a webhook's receiver, a push service, a mail server."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import http_ece  # type: ignore[import-untyped]
from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.waiting import free_port

Respond = Callable[["Call"], "tuple[int, dict[str, str], bytes] | None"]
"""Status, headers and body; None: never answer."""


@dataclass(frozen=True)
class Call:
    path: str
    headers: dict[str, str]  # their names in small letters
    body: bytes


@dataclass
class HttpReceiver:
    """Takes POSTs and remembers them."""

    url: str
    calls: list[Call] = field(default_factory=list)
    respond: Respond = lambda _: (204, {}, b"")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *lines = head.split("\r\n")
            pairs = (one.partition(":") for one in lines if one)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            call = Call(line.split()[1], headers, body)
            self.calls.append(call)
            answer = self.respond(call)
            if answer is None:
                await asyncio.sleep(60)
                return
            status, more, content = answer
            told = "".join(f"{name}: {value}\r\n" for name, value in more.items())
            start = f"HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {len(content)}\r\n"
            writer.write(f"{start}{told}\r\n".encode() + content)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def http_receiver() -> AsyncIterator[HttpReceiver]:
    made = HttpReceiver("")
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


class Browser:
    """A browser that subscribed to push messages: it can read what was encrypted for it (RFC 8291)."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._auth = b"sixteen letters."

    @property
    def p256dh(self) -> str:
        point = self._private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return base64.urlsafe_b64encode(point).decode()

    @property
    def auth(self) -> str:
        return base64.urlsafe_b64encode(self._auth).decode()

    def read(self, call: Call) -> bytes:
        opened = http_ece.decrypt(
            call.body, private_key=self._private, auth_secret=self._auth, version="aes128gcm"
        )
        return cast(bytes, opened)


class Mails:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self._port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    @property
    def url(self) -> str:
        """Where Apprise sends mail to it."""
        sockets = self._controller.server.sockets  # type: ignore[union-attr]
        port = sockets[0].getsockname()[1]
        return (
            f"mailto://127.0.0.1:{port}?from=hub@khe-coc.example&to=truc-ban@tuc-tranh.example&mode=insecure"
        )

    def __enter__(self) -> "Mails":
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
