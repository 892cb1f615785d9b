"""The commands for testers: clips replayed and rehearsed, settings tuned, verdicts made labels.

What a command needs is imported in it, as in `cli`, which has them among its own.
"""

from pathlib import Path
from typing import Annotated

import typer

lab = typer.Typer()

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The configuration file (YAML).")]


@lab.command()
def replay(
    context: typer.Context,
    clips: Annotated[list[str], typer.Argument(metavar="CLIP...", help="Clips, or folders of clips.")],
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A configuration; take zones, masks and settings from it."),
    ] = None,
    camera: Annotated[
        str | None, typer.Option(metavar="ID", help="Which camera of FILE; needed where it has several.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="DIR|FILE", help="Where NAME.events.json lies, if not beside each NAME.mp4."),
    ] = None,
    json_out: Annotated[
        str | None, typer.Option("--json", metavar="OUT", help="Write the results as JSON; - prints them.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="OUT.html", help="Write a report to look at, with pictures.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="OUT.xml", help="Write the results for a CI server.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="An earlier run's JSON, to be no worse than.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Clips at once. Not given: one a processor.")
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Play them in real time as cameras of the hub of FILE, which is running."
        ),
    ] = False,
    loop: Annotated[bool, typer.Option("--loop", help="With --live: over and over, until Ctrl-C.")] = False,
) -> None:
    """Run recorded clips through the hub's own motion detection, and score it where they have labels.

    Labels are in NAME.events.json beside NAME.mp4; docs/tester.md has their form and the score's
    definition. Leaves with 0 when all is well, with 1 when a clip cannot be read or something is worse
    than in the baseline, and with 2 when it was asked for what it cannot do.

    With --live nothing is scored: the clips are rehearsed, and their events arrive on the dashboard.
    """
    if live or loop:
        raise typer.Exit(_rehearse(context, clips, config, camera, loop))
    from camera_hub.replay.command import Outputs
    from camera_hub.replay.command import replay as run_clips

    code = run_clips(
        clips,
        config=config,
        camera=camera,
        labels=labels,
        outputs=Outputs(json_out, report, junit),
        workers=jobs,
        baseline=baseline,
    )
    raise typer.Exit(code)


@lab.command()
def tune(
    clips: Annotated[list[str], typer.Argument(metavar="CLIP...", help="Clips, or folders of clips.")],
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|FILE", help="Where the labels are. Not given: NAME.events.json beside each clip."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The configuration whose camera is to be tuned, with its masks."),
    ] = None,
    camera: Annotated[
        str | None, typer.Option(metavar="ID", help="The camera in FILE, where it has several.")
    ] = None,
    json_out: Annotated[
        str | None, typer.Option("--json", metavar="OUT", help="Write the outcome as JSON; - prints it.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=2, metavar="K", help="Groups of clips, held back in turn. Usually 5.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Clips at once. Not given: one a processor.")
    ] = None,
) -> None:
    """Look for better motion settings by labelled clips of a camera, and say what they would give.

    What they would give is measured on clips that had no part in the choice. Nothing is changed.
    """
    from camera_hub.replay.tune_command import command

    code = command(
        clips, config=config, camera=camera, labels=labels, json_out=json_out, workers=jobs, folds=folds
    )
    raise typer.Exit(code)


def _rehearse(
    context: typer.Context, clips: list[str], config: Path | None, camera: str | None, loop: bool
) -> int:
    """`replay --live`; its exit code, 0 after a wish to end."""
    from camera_hub.rehearsal.cast import CastError
    from camera_hub.rehearsal.command import command

    if not context.params["live"]:
        raise CastError("--loop goes with --live")
    known = {"clips", "config", "camera", "live", "loop"}
    given = (p for p in context.params if p not in known)
    other = next((p for p in given if str(context.get_parameter_source(p)).endswith("COMMANDLINE")), None)
    if other is not None:
        name = other.removesuffix("_out").replace("_", "-")
        raise CastError(f"--live plays clips to a hub, and scores nothing; leave --{name} out")
    return command(clips, config, camera, loop, typer.echo)


labels_app = typer.Typer(
    help="What people said of events, as labels for the replay lab.", no_args_is_help=True
)
lab.add_typer(labels_app, name="labels")


@labels_app.command("export")
def labels_export(
    config: ConfigPath,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write clips and labels into.")],
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Events from this day or instant on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Events up to this day, itself included, or instant.")
    ] = None,
    camera: Annotated[
        str | None, typer.Option(metavar="ID", help="One camera's events: cong-lang, or khe-coc.cong-lang.")
    ] = None,
    with_names: Annotated[
        bool, typer.Option("--with-names", help="Also write who said it, and their note.")
    ] = False,
) -> None:
    """Write a clip and its labels for each event that somebody judged, for `camera-hub replay`.

    On the server's machine, which may go on running. Files that are there are never written over.
    """
    from camera_hub.labels.command import command

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    summary = command(config, out, since=since, until=until, camera=camera, names=with_names, tell=tell)
    typer.echo(str(summary))
