"""Every command: a few lines each that call the part which does the work.

Those of the link are in `cli_link`, those of the lab in `cli_lab`.

A command that fails says why in a sentence on standard error, without a traceback, and leaves
with 2 where the command or the configuration is wrong and with 1 otherwise. What a command
needs is imported in it, so that `--help` comes at once.
"""

import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from camera_hub import __version__
from camera_hub.cli_lab import ConfigPath, lab
from camera_hub.cli_link import link
from camera_hub.model import HubError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from camera_hub.config import Config, ConfigError, LinkServerConfig
    from camera_hub.server.serve import Started

CRASHED = 70  # as in sysexits.h

app = typer.Typer(
    name="camera-hub",
    help="Watch over a village: cameras in; events, live pictures and recordings out.\n\n"
    "Everything stands in one YAML file (CONFIG). Start from a sample in config/, ask "
    "`camera-hub check CONFIG` whether it is right, then run it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and these hold passwords
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(link)
app.add_typer(lab)


def main() -> None:
    """The console script `camera-hub`."""
    try:
        app()
    except HubError as exc:
        raise SystemExit(_fail(exc)) from None
    except Exception as exc:
        # Our own mistake: loud, and told apart from what a person can mend, so that `run` starts it again.
        traceback.print_exc()
        raise SystemExit(CRASHED) from exc


def _fail(error: HubError) -> int:
    """Print the error for people; the exit code that goes with it."""
    from camera_hub.config import ConfigError

    typer.secho(_headline(error), fg=typer.colors.RED, err=True, bold=True)
    if isinstance(error, ConfigError):
        for problem in error.problems:
            typer.echo(f"  {problem}", err=True)
    return error.exit_code


def _headline(error: HubError) -> str:
    from camera_hub.config import ConfigError

    if not isinstance(error, ConfigError):
        return f"camera-hub: {error}"
    count = len(error.problems)
    things = "one thing is" if count == 1 else f"{count} things are"
    return f"camera-hub: {things} wrong in the configuration"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"camera-hub {__version__}")
        raise typer.Exit


@app.callback()
def _hub(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Options that stand before a command."""


@app.command()
def run(config: ConfigPath) -> None:
    """Run the whole hub on this machine: server and worker, and the practice hamlet where CONFIG has one.

    Ctrl-C ends all of it.
    """
    import asyncio

    from camera_hub import run as running
    from camera_hub.link.handshake import SiteKey

    loaded = _load(config)
    loaded.require_worker()
    loaded.require_server()
    SiteKey.load_or_make(loaded.storage.path / "site.key")  # the server reads it, the worker signs with it
    code = asyncio.run(running.run(running.parts(config, practice=loaded.practice is not None)))
    raise typer.Exit(code)


@app.command()
def serve(
    config: ConfigPath,
    own_worker: Annotated[
        bool, typer.Option("--own-worker", help="Let in the worker of this machine's data folder, too.")
    ] = False,
) -> None:
    """Run the server: it takes what the workers of its sites bring, and shows it on the dashboard."""
    import asyncio

    from camera_hub.link.handshake import SiteKey
    from camera_hub.run import until_asked_to_end
    from camera_hub.server.serve import serve as server
    from camera_hub.server.settings import KnownSite, ServerSettings

    loaded = _load(config)
    loaded.require_server()
    own = []
    if own_worker:
        key = SiteKey.load_or_make(loaded.storage.path / "site.key")
        own = [KnownSite(loaded.site.id, loaded.site.name, key.public_text())]
    settings = ServerSettings.of(loaded, *own)
    _on_uvloop(lambda: until_asked_to_end(asyncio.ensure_future(server(settings, started=_greet))))


@app.command()
def ingest(
    config: ConfigPath,
    own_server: Annotated[
        bool, typer.Option("--own-server", help="Link to the server of CONFIG on this machine, too.")
    ] = False,
) -> None:
    """Run the worker: it reads the cameras, records, finds what moves, and tells the servers."""
    import asyncio

    from camera_hub.ingest.worker import ingest as worker
    from camera_hub.run import until_asked_to_end

    loaded = _load(config)
    loaded.require_worker()
    own = _own_link(loaded) if own_server else None
    _on_uvloop(lambda: until_asked_to_end(asyncio.ensure_future(worker(loaded, own))))


def _own_link(config: "Config") -> "LinkServerConfig":
    from camera_hub.server.certificate import own_certificate

    server = config.require_server()
    if server.tls is None or not server.does_tls:
        return server.own_link()
    return server.own_link(own_certificate(server.tls.certificate).hex())


@app.command()
def practice(config: ConfigPath) -> None:
    """Serve the practice hamlet of CONFIG: seven rendered cameras over RTSP, to try the hub on.

    They are rendered once, which takes a few minutes; each answers as soon as it is ready.
    """
    import asyncio

    from camera_hub.run import until_asked_to_end
    from camera_hub.simulate.practice import practice as hamlet

    loaded = _load(config)
    section = loaded.practice
    if section is None:
        raise HubError(f"{config} has no practice hamlet; add: practice: {{seed: 1, port: 18554}}")
    folder = loaded.storage.path / "practice"
    _on_uvloop(lambda: until_asked_to_end(asyncio.ensure_future(hamlet(section.seed, section.port, folder))))


@app.command()
def health(
    url: Annotated[str, typer.Argument(metavar="URL", help="The server's address: http://127.0.0.1:8787")],
) -> None:
    """Ask a server whether it is well; leaves with 0 when it is. Made for a container's health check."""
    import urllib.error
    import urllib.request

    from camera_hub.link.worker.dialling import Address, trusting_nobody

    if not url.startswith(("http://", "https://")):
        raise HubError(f"{url} is no address of a server; give one like http://127.0.0.1:8787")
    # Whose certificate answers on this very machine is no question; elsewhere it must be trusted.
    here = Address(url).is_here
    tls = trusting_nobody() if here and url.startswith("https://") else None
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/readyz", timeout=5, context=tls) as answer:  # noqa: S310 - http(s) only
            typer.echo(answer.read(1000).decode(errors="replace").strip())
    except (urllib.error.URLError, OSError) as exc:
        raise HubError(f"the server at {url} is not well: {getattr(exc, 'reason', exc)}") from exc


def _load(file: Path) -> "Config":
    """The configuration, with the log set up as it says."""
    from camera_hub import logs
    from camera_hub.config import load_config

    loaded = load_config(file)
    logs.configure(loaded.log.level, loaded.log.format, secrets=loaded.secret_values())
    return loaded


def _on_uvloop(main: "Callable[[], Coroutine[None, None, None]]") -> None:
    import asyncio

    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_awaited(main))


async def _awaited(main: "Callable[[], Coroutine[None, None, None]]") -> None:
    await main()  # made here, where a loop runs


def _greet(started: "Started") -> None:
    """Tell the person at the terminal where the dashboard is, and how to get in the first time."""
    from rich.console import Console
    from rich.panel import Panel

    lines = [f"Camera Hub: [bold]{started.url}[/bold]"]
    login = started.first_login
    if login is not None:
        lines.append(f"First login: [bold]{login.name}[/bold]  password: [bold]{login.password}[/bold]")
        lines.append("Change the password in the menu at the top; until then it is shown at each start.")
    Console(stderr=True, highlight=False).print(Panel("\n".join(lines), expand=False))


@app.command()
def check(
    config: ConfigPath,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    timeout: Annotated[
        float, typer.Option(min=1, max=300, metavar="S", help="How many seconds each camera may take.")
    ] = 10.0,
) -> None:
    """Say whether CONFIG is right and whether each camera answers.

    Leaves with 0 when all is well, with 1 when a camera does not answer, and with 2 when the file is wrong.
    """
    from camera_hub.config import ConfigError, load_config

    try:
        loaded = load_config(config)
    except ConfigError as exc:
        if not as_json:
            raise
        _print_json(_file_report(config, exc))
        raise typer.Exit(2) from None
    if not as_json:
        typer.secho(f"{config} is right.", fg=typer.colors.GREEN)
    ok = _check_cameras(config, loaded, timeout, as_json) if loaded.cameras else _no_cameras(config, as_json)
    if not ok:
        raise typer.Exit(1)


def _no_cameras(file: Path, as_json: bool) -> bool:
    if as_json:
        _print_json({"config": str(file), "ok": True, "errors": [], "cameras": []})
    else:
        typer.echo("It has no cameras, so there was nobody to ask.")
    return True


def _check_cameras(file: Path, config: "Config", timeout_s: float, as_json: bool) -> bool:
    from rich.console import Console
    from rich.progress import Progress

    from camera_hub import check as checking
    from camera_hub import logs

    logs.configure("error", config.log.format, secrets=config.secret_values())
    # Progress goes to standard error, so that the table or the JSON can be piped.
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("asking the cameras", total=len(config.cameras))
        reports = checking.check_cameras(config.cameras, timeout_s, lambda: progress.advance(task))
    ok = all(report.ok for report in reports)
    if as_json:
        _print_json({"config": str(file), "ok": ok, "errors": [], "cameras": checking.as_json(reports)})
        return ok
    console = Console()
    console.print(checking.table(reports))
    for note in checking.notes(reports):
        console.print(f"- {note}", markup=False, highlight=False)
    console.print(f"{sum(report.ok for report in reports)} of {len(reports)} cameras answer.")
    if config.practice is not None and not ok:
        console.print("The practice hamlet's cameras are there only while `camera-hub run` is running.")
    return ok


def _file_report(file: Path, error: "ConfigError") -> dict[str, object]:
    errors = [
        {"file": problem.file, "line": problem.line, "key": problem.key, "error": problem.text}
        for problem in error.problems
    ]
    return {"config": str(file), "ok": False, "errors": errors, "cameras": []}


@app.command()
def schema() -> None:
    """Print the JSON schema of CONFIG, by which an editor completes and checks it.

    Save it beside the file: camera-hub schema > camera-hub.schema.json
    """
    from camera_hub.config import json_schema

    _print_json(json_schema())


def _print_json(data: object) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
