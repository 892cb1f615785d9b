"""The report of a replay: one HTML file that holds all that it shows, for the browser of a phone or a desk.

Promises that it asks nothing of the network and that all can be read without JavaScript; what
files and labels are named is shown as text. The clips with the most faults come first.
"""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from camera_hub import __version__
from camera_hub.model import HubError
from camera_hub.replay import report_words as words
from camera_hub.replay.report_clip import section
from camera_hub.replay.report_html import Html, join, tag
from camera_hub.replay.report_terms import footer
from camera_hub.replay.report_totals import conditions, totals
from camera_hub.replay.report_view import Clip, names, verdict
from camera_hub.replay.result import Results
from camera_hub.replay.trace import ClipTrace

HERE = Path(__file__).parent
FOR_TOOLS = 9  # clips; with fewer nobody needs a filter
WORST = 24  # clips named at the top


def write_report(
    file: Path, results: Results, traces: Sequence[ClipTrace | None], *, passed_s: float, made: datetime
) -> None:
    """Write the report of `results` to `file`.

    `traces` go with `results.clips`, in their order; `passed_s` is how long the replay took, `made`
    is when (local time, aware). Raises HubError where `file` cannot be written.
    """
    text = report(results, traces, passed_s=passed_s, made=made)
    try:
        file.write_text(text, "utf-8")
    except OSError as exc:
        raise HubError(f"the report cannot be written to {file}: {exc.strerror}; give another path") from exc


def report(results: Results, traces: Sequence[ClipTrace | None], *, passed_s: float, made: datetime) -> str:
    """The report as HTML; see `write_report`."""
    clips = [
        Clip(f"clip-{n}", name, result, trace or ClipTrace())
        for n, (name, result, trace) in enumerate(
            zip(names([clip.clip for clip in results.clips]), results.clips, traces, strict=True), 1
        )
    ]
    clips.sort(
        key=lambda clip: (-clip.faults, clip.result.score is not None and clip.faults == 0, clip.anchor)
    )
    body = tag(
        "body",
        _header(results, made),
        tag("main", totals(results.total, passed_s), conditions(results.total.per_condition), _clips(clips)),
        footer(results.total.score is not None),
        tag("script", Html(_script())),
    )
    return f"<!DOCTYPE html>\n{tag('html', _head(), body, lang='en')}\n"


def _script() -> str:
    return (HERE / "report.js").read_text("utf-8")


def _head() -> Html:
    digest = b64encode(sha256(_script().encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", "Replay report · Camera Hub"),
        tag("style", Html((HERE / "report.css").read_text("utf-8"))),
    )


def _header(results: Results, made: datetime) -> Html:
    total = results.total
    facts = (
        f"{words.many(total.clips, 'clip')}, {words.long(total.duration_s)}",
        f"{made:%Y-%m-%d %H:%M}",
        f"version {__version__}",
    )
    return tag("header", tag("h1", tag("small", "CAMERA HUB"), "Replay report"), tag("p", " · ".join(facts)))


def _clips(clips: list[Clip]) -> Html:
    faulty = [clip for clip in clips if clip.faults]
    links = tag("nav", *map(_link, faulty[:WORST]), class_="worst", aria_label="Clips with faults")
    aside = f"{len(faulty)} of {len(clips)} with faults, worst first" if faulty else "none with a fault"
    return join(
        tag("h2", "Clips", tag("span", aside, class_="aside"), id="clips"),
        links if len(clips) > 1 and faulty else None,
        _tools() if len(clips) >= FOR_TOOLS else None,
        *map(section, clips),
    )


def _link(clip: Clip) -> Html:
    wrong = ", ".join(text for look, text in verdict(clip) if look == "bad")
    return tag("a", tag("span", clip.name), tag("b", wrong), href=f"#{clip.anchor}")


def _tools() -> Html:
    """Shown where JavaScript may run."""
    return tag(
        "div",
        tag(
            "input",
            type="search",
            placeholder="Name, condition, “missed”, “false”…",
            aria_label="Show only clips with",
        ),
        tag("button", "Open all", type="button"),
        tag("button", "Fold all", type="button"),
        class_="tools",
        hidden=True,
    )
