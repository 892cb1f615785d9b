"""The commands about who is linked with whom: a worker's keys and its servers.

What a command needs is imported in it, as in `cli`, which has them among its own.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from camera_hub.cli_lab import ConfigPath
from camera_hub.model import HubError

if TYPE_CHECKING:
    from camera_hub.ingest.enrolled import EnrolledServer

link = typer.Typer()


@link.command()
def key(config: ConfigPath) -> None:
    """Print the public key of this site's worker, for `server.sites` in the server's configuration."""
    from camera_hub.config import load_config
    from camera_hub.link.handshake import SiteKey

    loaded = load_config(config)
    typer.echo(SiteKey.load_or_make(loaded.storage.path / "site.key").public_text())


@link.command()
def enrol(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="The server's address: https://hub.example.vn, as the dashboard has it."
        ),
    ],
    code: Annotated[str, typer.Argument(metavar="CODE", help="The one-time code that its dashboard shows.")],
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG",
            envvar="CAMERA_HUB_CONFIG",
            help="The worker's configuration; left out, the one in /etc/camera-hub.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Our name for the server, where its own will not do.")
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The certificate (PEM) of the authority that vouches for the server."
        ),
    ] = None,
) -> None:
    """Have a server let this worker in, by the one-time code that its administrator made.

    Makes a key of its own for that server and remembers the server's certificate.

    A running worker takes the server up by itself within seconds.
    """
    import asyncio

    from camera_hub.config import load_config
    from camera_hub.ingest.enrolling import enrol as enrolling

    loaded = load_config(config or _usual_config())
    done = asyncio.run(enrolling(loaded, url, code, name=name, ca_file=ca_file))
    server = done.server
    typer.secho(f"Enrolled: {server.name} lets this worker in as site {server.site}.", fg=typer.colors.GREEN)
    typer.echo(f"  address      {server.url}")
    typer.echo(f"  known by     {_known_by(server)}")
    if not done.encrypted:
        typer.echo(
            "  ATTENTION: the link is not encrypted; use it on a network of your own alone, or give https://."
        )
    if done.clock_apart_s:
        apart = f"{abs(done.clock_apart_s)} s {'ahead of' if done.clock_apart_s > 0 else 'behind'}"
        typer.echo(f"  ATTENTION: this machine's clock is {apart} the server's; set it (timedatectl).")
    typer.echo("A running worker links within seconds; otherwise start it: camera-hub ingest or run.")


def _known_by(server: "EnrolledServer") -> str:
    from camera_hub.link.enrolment import fingerprint

    if server.certificate_sha256:
        return f"its certificate alone, SHA-256 {fingerprint(bytes.fromhex(server.certificate_sha256))}"
    if server.ca_file:
        return f"the authority in {server.ca_file}"
    return "the authorities of this machine" if server.url.startswith("wss:") else "its address alone"


def _usual_config() -> Path:
    found = sorted(Path("/etc/camera-hub").glob("*.yaml"))
    found = [path for path in found if not path.name.startswith("secrets")]
    if len(found) != 1:
        many = "there are several" if found else "there is none"
        raise HubError(
            f"which configuration? {many} in /etc/camera-hub; name it: camera-hub enrol URL CODE CONFIG"
        )
    return found[0]


@link.command()
def servers(
    config: ConfigPath,
    forget: Annotated[
        str | None, typer.Option(metavar="NAME", help="Forget a server that this worker was enrolled at.")
    ] = None,
) -> None:
    """List the servers that this worker tells: those of CONFIG, and those that it was enrolled at."""
    from camera_hub.config import load_config
    from camera_hub.ingest.enrolled import EnrolledServers

    loaded = load_config(config)
    enrolled = EnrolledServers(loaded.storage.path)
    if forget is not None:
        enrolled.forget(forget)
        typer.echo(f"{forget} is forgotten here; on its dashboard, remove or revoke the site as well.")
        return
    for named in loaded.link.servers:
        typer.echo(f"{named.name}  {named.url}  (of the configuration)")
    for server in enrolled.all():
        typer.echo(
            f"{server.name}  {server.url}  as {server.site}, enrolled {server.enrolled:%Y-%m-%d %H:%M} UTC"
        )
        typer.echo(f"    known by {_known_by(server)}")
