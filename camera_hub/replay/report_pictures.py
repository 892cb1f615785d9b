"""Pictures of what went wrong: a frame, and over it what the detector saw and what it should have seen."""

from base64 import b64encode
from collections.abc import Sequence

from camera_hub.model import Box
from camera_hub.replay.report_html import Html, Piece, join, tag
from camera_hub.replay.trace import Picture

Way = Sequence[tuple[float, float]]
"""(x, y) in fractions of the picture."""

UPRIGHT = 420  # px that a picture which is taller than wide may be tall


def figure(picture: Picture, *, anchor: str, mark: str, bad: bool, caption: Piece, way: Way = ()) -> Html:
    """One picture. `mark` is what it is, in a word or two; `way` is where the mover went."""
    data = f"data:image/jpeg;base64,{b64encode(picture.jpeg).decode()}"
    image = tag(
        "img",
        src=data,
        alt=mark,
        width=picture.width,
        height=picture.height,
    )
    upright = picture.height > picture.width
    frame = tag(
        "div",
        image,
        _drawn(picture, way),
        tag("span", mark, class_="tag" if bad else "tag plain"),
        class_="frame",
        style=f"max-width:{UPRIGHT * picture.width / picture.height:.0f}px" if upright else None,
    )
    return tag("figure", frame, tag("figcaption", caption), id=anchor)


def _drawn(picture: Picture, way: Way) -> Html:
    width, height = picture.width, picture.height
    drawn = [
        _box(track.box, "believed" if track.believed else "followed", width, height)
        for track in picture.tracks
    ]
    drawn += [_box(box, "label", width, height) for box in picture.known]
    if len(way) > 1:
        line = " ".join(f"{x * width:.0f},{y * height:.0f}" for x, y in way)
        x, y = way[-1]
        drawn += [
            tag("polyline", points=line, class_="halo"),
            tag("polyline", points=line, class_="way"),
            tag("circle", cx=round(x * width), cy=round(y * height), r=max(width // 160, 2), class_="dot"),
        ]
    if picture.box is not None:
        drawn.append(_box(picture.box, "mover", width, height))
    return tag("svg", *drawn, viewBox=f"0 0 {width} {height}", preserveAspectRatio="none", aria_hidden="true")


def _box(box: Box, look: str, width: int, height: int) -> Html:
    x, y, wide, high = box
    place = {
        "x": round(x * width, 1),
        "y": round(y * height, 1),
        "width": round(wide * width, 1),
        "height": round(high * height, 1),
        "rx": 2,
    }
    return join(tag("rect", class_="halo", **place), tag("rect", class_=f"box {look}", **place))
