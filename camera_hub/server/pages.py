"""The dashboard's files as Vite built them, at / and below; where they are not built, how to build them.

They hold nothing secret, so they need no session. `index.html` is asked for anew each time; the
files under assets/ carry a hash in their names and are kept for ever. A path that is no file is one
of the dashboard's own pages and gets `index.html`.
"""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor

from camera_hub.server.problems import Problem
from camera_hub.server.rights import Right, needs

DASHBOARD = Path(__file__).parent / "dashboard"
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_NOT_BUILT = """<!doctype html>
<html lang="vi"><meta charset="utf-8"><title>Camera Hub</title>
<h1>Camera Hub</h1>
<p>Máy chủ đang chạy, nhưng giao diện chưa được dựng. Hãy chạy <code>make dashboard</code>.</p>
<p lang="en">The server runs, but its dashboard is not built. Run <code>make dashboard</code>.</p>
"""


class _PageConvertor(Convertor[str]):
    """A path that no API route could mean."""

    regex = r"(?!api(?:/|$)|healthz$|readyz$|metrics$).*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("page", _PageConvertor())


def router(folder: Path = DASHBOARD) -> APIRouter:
    """Include it last."""
    pages = APIRouter()

    @pages.api_route(
        "/{path:page}",
        methods=["GET", "HEAD"],
        include_in_schema=False,
        dependencies=[needs(Right.PUBLIC)],
    )
    async def page(request: Request) -> Response:
        # The path comes from the request: FastAPI would ask that a parameter be declared to it.
        wanted = request.path_params["path"]
        found = await run_in_threadpool(_find, folder, wanted)
        if found is None and _names_a_file(wanted):
            raise Problem(404, "There is nothing at this address.")
        if found is None:
            found = await run_in_threadpool(_find, folder, "index.html")
        if found is None:
            return HTMLResponse(_NOT_BUILT, 503, headers={"Cache-Control": _ASK_AGAIN})
        hashed = found.parent != folder and found.parent.name == "assets"
        return FileResponse(found, headers={"Cache-Control": _FOR_EVER if hashed else _ASK_AGAIN})

    return pages


def _names_a_file(wanted: str) -> bool:
    """A page's path may have a dot too: /cameras/khe-coc.cong-lang."""
    return wanted.startswith("assets/") or ("/" not in wanted and bool(Path(wanted).suffix))


def _find(folder: Path, wanted: str) -> Path | None:
    """The file, if it is one and lies inside the folder, whatever dots and links the path has."""
    try:
        path = (folder / wanted).resolve()
        inside = path.is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError):
        return None
    return path if inside else None
