"""The timeline of a clip as SVG: bars for labels and events, lines for signals, one axis for all.

Each lane is an SVG of its own that is as wide as it may be: bars are placed in per cent of the
clip, lines are drawn in a box that stretches, so that a phone and a desk show the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from camera_hub.replay.report_html import Html, join, tag
from camera_hub.replay.report_words import clock
from camera_hub.replay.trace_signals import Series

POINTS = 600  # across a plot
TALL = 100  # units of a plot's height
STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600)
TICKS = 6  # at most, beside that of the start; as many fit on a phone

State = Literal["found", "missed", "right", "false", "maybe", "plain"]


@dataclass(frozen=True)
class Bar:
    """A span of time on the timeline."""

    start_s: float
    end_s: float
    state: State
    text: str  # shown when it is pointed at
    tamper: bool = False
    anchor: str = ""  # id of the picture that belongs to it


@dataclass(frozen=True)
class Line:
    """A signal in a plot."""

    name: str
    points: Series
    look: str  # class of the line
    steps: bool = False  # holds its value until the next point
    filled: bool = False


def bars(spans: Sequence[Bar], duration_s: float) -> Html:
    """A lane of bars."""
    return tag(
        "svg", *(_bar(bar, duration_s) for bar in spans), class_="bars", role="img", aria_hidden="true"
    )


def both(labels: Sequence[Bar], events: Sequence[Bar], duration_s: float) -> Html:
    """Labels over events in one small lane."""
    drawn = [_bar(bar, duration_s, 0, 7) for bar in labels] + [_bar(bar, duration_s, 9, 7) for bar in events]
    return tag("svg", *drawn, class_="bars", aria_hidden="true")


def _bar(bar: Bar, duration_s: float, top: int = 3, high: int = 16) -> Html:
    left = 100 * max(bar.start_s, 0.0) / duration_s
    wide = 100 * (min(bar.end_s, duration_s) - max(bar.start_s, 0.0)) / duration_s
    kind = f"bar {bar.state}" + (" tamper" if bar.tamper else "")
    drawn = tag(
        "rect",
        tag("title", bar.text),
        class_=kind,
        x=f"{left:.2f}%",
        width=f"{max(wide, 0.45):.2f}%",
        y=top,
        height=high,
        rx=3 if high > 8 else 2,
    )
    return tag("a", drawn, href=f"#{bar.anchor}") if bar.anchor else drawn


def plot(lines: Sequence[Line], duration_s: float, most: float, least: float = 0.0) -> Html:
    """A lane of lines, from `least` at its foot to `most` at its top."""
    drawn = [_line(line, duration_s, least, most) for line in lines]
    return tag(
        "svg",
        *drawn,
        class_="plot",
        viewBox=f"0 0 {POINTS} {TALL}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def shades(series: Series, duration_s: float) -> Html:
    """The spans in which a signal that is 0 or 1 is 1, over the full height of a lane."""
    spans: list[tuple[float, float]] = []
    for (start, value), end in zip(series, [t for t, _ in series[1:]] + [duration_s], strict=True):
        if value and spans and spans[-1][1] >= start:
            spans[-1] = (spans[-1][0], end)
        elif value:
            spans.append((start, end))
    return join(
        *(
            tag(
                "rect",
                class_="asleep",
                x=f"{100 * start / duration_s:.2f}%",
                width=f"{100 * (end - start) / duration_s:.2f}%",
                height="100%",
            )
            for start, end in spans
        )
    )


def _line(line: Line, duration_s: float, least: float, most: float) -> Html:
    places = _places(line.points, duration_s, least, most, line.steps)
    if not places:
        return Html("")
    way = "".join(f"{'L' if n else 'M'}{x} {y}" for n, (x, y) in enumerate(places))
    found = [
        tag("path", d=way, class_=f"line {line.look}", data_name=line.name, data_least=least, data_most=most)
    ]
    if line.filled:
        area = f"M{places[0][0]} {TALL}{way.replace('M', 'L', 1)}L{places[-1][0]} {TALL}Z"
        found.insert(0, tag("path", d=area, class_=f"area {line.look}"))
    return join(*found)


def _places(
    points: Series, duration_s: float, least: float, most: float, steps: bool
) -> list[tuple[int, int]]:
    """Points in the plot's units: one peak a column, and none between two of the same height."""
    columns: dict[int, float] = {}
    for t_s, value in points:
        column = min(max(round(POINTS * t_s / duration_s), 0), POINTS)
        columns[column] = max(value, columns.get(column, value))
    whole = max(most - least, 1e-9)
    places: list[tuple[int, int]] = []
    for x, value in columns.items():
        y = round(TALL * (1 - min(max((value - least) / whole, 0.0), 1.0)))
        if steps and places and places[-1][1] != y:
            _add(places, x, places[-1][1])
        _add(places, x, y)
    if steps and places:
        _add(places, POINTS, places[-1][1])
    return places


def _add(places: list[tuple[int, int]], x: int, y: int) -> None:
    if len(places) > 1 and places[-1][1] == y and places[-2][1] == y:
        places[-1] = (x, y)
    elif not places or places[-1] != (x, y):
        places.append((x, y))


def axis(duration_s: float) -> Html:
    """Times under the lanes."""
    step = next((step for step in STEPS_S if duration_s / step <= TICKS), STEPS_S[-1])
    ticks = [n * step for n in range(int(duration_s / step) + 1)]
    return tag("svg", *(_tick(t_s, duration_s) for t_s in ticks), class_="axis", aria_hidden="true")


def _tick(t_s: float, duration_s: float) -> Html:
    at = 100 * t_s / duration_s
    anchor = "start" if at < 4 else "end" if at > 94 else "middle"
    place = f"{at:.2f}%"
    return join(
        tag("line", x1=place, x2=place, y1="0", y2="5", class_="tick"),
        tag("text", clock(t_s, exact=False), x=place, y="18", text_anchor=anchor),
    )


def legend(scored: bool, asleep: bool) -> Html:
    """What the looks of the bars mean."""
    looks = [("right", "right"), ("missed", "missed"), ("false", "false")] if scored else [("plain", "event")]
    looks += [("maybe", "counts neither way")] * scored + [("asleep", "gate asleep")] * asleep
    return tag("div", *(tag("span", _swatch(look), text) for look, text in looks), class_="legend")


def _swatch(look: str) -> Html:
    kind = look if look == "asleep" else f"bar {look}"
    return tag("svg", tag("rect", class_=kind, x=1, y=1, width=16, height=10, rx=3), aria_hidden="true")
