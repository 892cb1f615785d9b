"""Where an administrator's templates are rendered: a process with little memory, little time and no secrets.

Run by `templates.Templates`, with one end of a pipe; each message is a `Wanted`, each answer a `Made`. A
template that runs for ever is ended by the system, and this process with it; another takes its place.
"""

import contextlib
import resource
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from camera_hub.alerts.telling.texts import Facts, TemplateError, Texts, of_many, title_and_body

MEMORY_BYTES = 64 * 1024 * 1024  # beyond what it has when it begins
CPU_S = 1
MAX_MESSAGE_BYTES = 1024 * 1024


class Wanted(msgspec.Struct, array_like=True, frozen=True):
    texts: Texts
    facts: tuple[Facts, ...]
    many: bool  # one message for all of them


class Made(msgspec.Struct, array_like=True, frozen=True):
    title: str = ""
    body: str = ""
    error: str = ""  # in words; then the rest is empty


def made(wanted: Wanted) -> Made:
    try:
        if wanted.many:
            return Made(*of_many(wanted.texts, list(wanted.facts)))
        return Made(*title_and_body(wanted.texts, wanted.facts[0]))
    except TemplateError as exc:
        return Made(error=str(exc))


def main(descriptor: int) -> None:
    _bound_memory()
    decoder = msgspec.msgpack.Decoder(Wanted)
    with Connection(descriptor) as pipe, contextlib.suppress(EOFError, ConnectionError):
        pipe.send_bytes(b"ready")
        while True:
            wanted = decoder.decode(pipe.recv_bytes(MAX_MESSAGE_BYTES))
            _bound_time()
            pipe.send_bytes(msgspec.msgpack.encode(made(wanted)))


def _bound_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _bound_time() -> None:
    """From now on it is so much; the soft limit, which ends the process, can be put up again."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + CPU_S + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(int(sys.argv[1]))
