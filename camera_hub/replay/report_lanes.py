"""A clip's lanes over one axis of time: labels, events, and the signals of detector and gate."""

from collections.abc import Iterator

from camera_hub.model import EventKind
from camera_hub.replay import report_plots as plots
from camera_hub.replay.report_html import Html, Piece, join, tag
from camera_hub.replay.report_plots import Bar, Line, State
from camera_hub.replay.report_view import Clip, event_picture, label_picture, span_text, what_of
from camera_hub.replay.trace_signals import Series

LEAST_DIFFERS = 0.02  # share of the cells: the plot's top is not lower
LEAST_LIGHT = 4.0  # tones
LEAST_TRACKS = 3.0
LEAST_EXCESS = 0.2


def _label_bars(clip: Clip, linked: bool) -> Iterator[Bar]:
    for start, end in clip.result.maybe:
        yield Bar(start, end, "maybe", f"maybe, {span_text(start, end)}: counts neither way")
    anchors = {label: anchor for anchor, label in clip.missed}
    for label in clip.result.labels:
        tamper = label.kind is EventKind.TAMPER
        text = f"{what_of(label)}, {span_text(label.start_s, label.end_s)}: {label.outcome}"
        if label.delay_s is not None:
            text += f" after {label.delay_s:.2f} s"
        anchor = anchors.get(label, "") if linked and label_picture(clip, label) else ""
        yield Bar(label.start_s, label.end_s, label.outcome, text, tamper, anchor)


def _event_bars(clip: Clip, linked: bool) -> Iterator[Bar]:
    states: dict[str | None, State] = {"true": "right", "false": "false", "maybe": "maybe", None: "plain"}
    anchors = {event: anchor for anchor, event in clip.shown}
    for event in clip.result.events:
        text = f"{event.kind}, {span_text(event.start_s, event.end_s)}: score {event.score:.2f}"
        if event.outcome is not None:
            text += {"true": ", right", "false": ", false", "maybe": ", counts neither way"}[event.outcome]
        anchor = anchors.get(event, "") if linked and event_picture(clip, event) else ""
        yield Bar(
            event.start_s, event.end_s, states[event.outcome], text, event.kind is EventKind.TAMPER, anchor
        )


def mini(clip: Clip) -> Html | None:
    duration_s = clip.result.duration_s
    if duration_s <= 0:
        return None
    return tag(
        "span",
        plots.both(list(_label_bars(clip, False)), list(_event_bars(clip, False)), duration_s),
        class_="mini",
    )


def lanes(clip: Clip) -> Html:
    duration_s, signals = clip.result.duration_s, clip.trace.signals
    rows: list[Piece] = []
    if clip.result.score is not None:
        rows += _lane("labels", "what truly moved", plots.bars(list(_label_bars(clip, True)), duration_s))
    rows += _lane("events", "what was reported", plots.bars(list(_event_bars(clip, True)), duration_s))
    under = plots.shades(signals.get("asleep", ()), duration_s)
    signals_shown: list[tuple[str, str, list[Line], float]] = [
        (
            "differs",
            "% of the picture",
            [Line("differs %", _times(100, signals.get("differs", ())), "l-differs", filled=True)],
            100 * LEAST_DIFFERS,
        ),
        (
            "light",
            "tones of change",
            [Line("light", signals.get("light", ()), "l-light", filled=True)],
            LEAST_LIGHT,
        ),
        (
            "tracks",
            "followed, believed",
            [
                Line("followed", signals.get("followed", ()), "l-followed", steps=True),
                Line("movers", signals.get("believed", ()), "l-believed", steps=True, filled=True),
            ],
            LEAST_TRACKS,
        ),
        (
            "packets",
            "excess, its limit",
            [
                Line("excess", signals.get("excess", ()), "l-excess"),
                Line("limit", signals.get("limit", ()), "l-limit", steps=True),
            ],
            LEAST_EXCESS,
        ),
    ]
    for name, aside, lines, least_top in signals_shown:
        values = [value for line in lines for _, value in line.points]
        if values:
            top = max(least_top, *values)
            drawn = plots.plot(lines, duration_s, top * 1.05, min(0.0, *values))
            scale = tag("span", f"{top:.3g}", class_="top")
            rows += _lane(name, aside, join(drawn, scale), under)
    rows.append(plots.axis(duration_s))
    asleep = any(value for _, value in signals.get("asleep", ()))
    return join(
        tag("div", *rows, class_="lanes", data_seconds=round(duration_s, 3)),
        plots.legend(clip.result.score is not None, asleep),
    )


def _lane(name: str, aside: str, drawn: Html, under: Html | None = None) -> list[Piece]:
    behind = tag("svg", under, class_="under", aria_hidden="true") if under else None
    return [
        tag("div", name, tag("small", aside), class_="lane-name"),
        tag("div", behind, drawn, class_="lane" if under is None else "lane tall"),
    ]


def _times(factor: float, points: Series) -> Series:
    return tuple((t_s, factor * value) for t_s, value in points)
