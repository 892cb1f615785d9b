"""Templates that an administrator wrote, rendered where they can do no harm: see `template_process`.

Promises: whatever a template says, an answer or a TemplateError comes within seconds, and neither the
server's memory nor its event loop notices. The process is started when it is first needed, and kept. The
templates that come with the hub are rendered here.
"""

import asyncio
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import msgspec

from camera_hub.alerts.telling.template_process import MAX_MESSAGE_BYTES, Made, Wanted
from camera_hub.alerts.telling.texts import DEFAULT, Facts, TemplateError, Texts, of_many, title_and_body

BEGIN_S = 20.0
WHOLE_S = 5.0  # the process has a second of its own; the rest is a machine that is busy
_KEPT_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH")


class Templates:
    """Renders; its process ends with it."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()  # who waits for it takes no thread
        self._lock = threading.Lock()  # also where somebody who asked has gone meanwhile
        self._running: _Running | None = None

    async def title_and_body(self, texts: Texts, facts: Facts) -> tuple[str, str]:
        """Raises TemplateError."""
        if texts in DEFAULT.values():
            return title_and_body(texts, facts)
        return await self._ask(Wanted(texts, (facts,), many=False))

    async def of_many(self, texts: Texts, all_facts: Sequence[Facts]) -> tuple[str, str]:
        """One message for several alerts. Raises TemplateError."""
        if texts in DEFAULT.values():
            return of_many(texts, list(all_facts))
        return await self._ask(Wanted(texts, tuple(all_facts), many=True))

    async def check(self, texts: Texts) -> None:
        """Raises TemplateError when one of the templates cannot be used."""
        empty = Facts("", "", "", "", "", "", "", "", 1, False, False, False, "")
        await self.title_and_body(texts, empty)
        await self.of_many(texts, [empty])

    async def _ask(self, wanted: Wanted) -> tuple[str, str]:
        async with self._turn:
            return await asyncio.to_thread(self._made, wanted)

    def _made(self, wanted: Wanted) -> tuple[str, str]:
        with self._lock:
            try:
                if self._running is None or self._running.is_gone:
                    self._end()
                    self._running = _Running()
                    weakref.finalize(self, self._running.end)
                made = self._running.ask(wanted)
            except (OSError, EOFError, TimeoutError) as exc:
                self._end()
                raise TemplateError(
                    "the template cannot be used: it takes too long, or too much memory"
                ) from exc
        if made.error:
            raise TemplateError(made.error)
        return made.title, made.body

    def _end(self) -> None:
        if self._running is not None:
            self._running.end()
            self._running = None


class _Running:
    """The process and our end of its pipe."""

    def __init__(self) -> None:
        self._pipe, theirs = Pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "camera_hub.alerts.telling.template_process", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        finally:
            theirs.close()
        _received(self._pipe, BEGIN_S)

    @property
    def is_gone(self) -> bool:
        """Somebody else has ended it."""
        return self._process.poll() is not None

    def ask(self, wanted: Wanted) -> Made:
        """Raises OSError, EOFError or TimeoutError; then there is nothing more to ask here."""
        self._pipe.send_bytes(msgspec.msgpack.encode(wanted))
        return msgspec.msgpack.decode(_received(self._pipe, WHOLE_S), type=Made)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._pipe.close()


def _received(pipe: Connection, within_s: float) -> bytes:
    if not pipe.poll(within_s):
        raise TimeoutError
    return pipe.recv_bytes(MAX_MESSAGE_BYTES)
