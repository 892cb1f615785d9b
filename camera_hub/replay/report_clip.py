"""One clip: a line that says how it went, and folded in it timeline, signals and pictures."""

from msgspec import UNSET

from camera_hub.model import EventKind
from camera_hub.replay import report_words as words
from camera_hub.replay.report_html import Html, join, tag
from camera_hub.replay.report_lanes import lanes, mini
from camera_hub.replay.report_pictures import figure
from camera_hub.replay.report_view import Clip, event_picture, label_picture, span_text, verdict, what_of
from camera_hub.replay.result import EventResult, LabelResult
from camera_hub.replay.trace import Picture


def section(clip: Clip) -> Html:
    """The clip; open if something is wrong with it."""
    result = clip.result
    asides = [*result.conditions, *([words.long(result.duration_s)] if result.frames else [])]
    summary = tag(
        "summary",
        tag("span", clip.name, tag("small", " · ".join(asides)), class_="title"),
        tag(
            "span",
            *(tag("span", text, class_=f"pill {look}") for look, text in verdict(clip)),
            class_="pills",
        ),
        mini(clip),
    )
    body = tag(
        "div",
        tag("p", _capital(str(result.error)) + ".", class_="note trouble")
        if result.error is not UNSET
        else None,
        _strip(clip) if result.frames else None,
        *(tag("p", note, class_="note") for note in result.notes),
        lanes(clip) if result.duration_s > 0 else None,
        _pictures(clip),
        _list(clip),
        class_="body",
    )
    return tag(
        "details",
        summary,
        body,
        class_="clip",
        id=clip.anchor,
        open=clip.faults > 0,
        data_words=" ".join(
            [clip.result.clip, *result.conditions, *(text for _, text in verdict(clip))]
        ).lower(),
    )


def _strip(clip: Clip) -> Html:
    result, score = clip.result, clip.result.score
    speed = result.duration_s / result.wall_s if result.wall_s > 0 else None
    decoded = result.frames_decoded / result.frames if result.frames else None
    facts = [
        ("Picture", f"{result.width}×{result.height} {result.codec}, {result.fps:.3g} fps"),
        ("Decoded", f"{words.share(decoded)} of {words.many(result.frames, 'frame')}"),
        ("Speed", words.times(speed)),
    ]
    if score is not None:
        facts += [
            ("F1", words.number(score.f1)),
            ("Delay", words.seconds(score.delay_median_s)),
            ("Quiet time reported", words.share(score.quiet_reported)),
        ]
    if result.gate:
        facts.append(("Gate awake", result.gate))
    told = (tag("div", tag("dt", name), tag("dd", value)) for name, value in facts if value != words.NONE)
    return tag("dl", *told, class_="strip")


def _pictures(clip: Clip) -> Html | None:
    figures = [
        _missed(anchor, label, picture)
        for anchor, label in clip.missed
        if (picture := label_picture(clip, label))
    ]
    figures += [
        _event(anchor, event, picture)
        for anchor, event in clip.shown
        if (picture := event_picture(clip, event))
    ]
    return tag("div", *figures, class_="pictures") if figures else None


def _missed(anchor: str, label: LabelResult, picture: Picture) -> Html:
    believed = sum(track.believed for track in picture.tracks)
    saw = "nothing to follow"
    if picture.tracks:
        saw = f"{words.many(len(picture.tracks), 'thing')} to follow, {believed or 'none'} believed a mover"
    tamper = label.kind is EventKind.TAMPER
    told = (
        f"This is {words.clock(picture.t_s)}."
        if tamper
        else f"At {words.clock(picture.t_s)} the detector saw {saw}."
    )
    caption = join(
        tag("b", f"{_capital(what_of(label))}, {span_text(label.start_s, label.end_s)}"), tag("span", told)
    )
    mark = "missed tampering" if tamper else "missed"
    return figure(picture, anchor=anchor, mark=mark, bad=True, caption=caption)


def _event(anchor: str, event: EventResult, picture: Picture) -> Html:
    known = event.outcome is not None
    kind = "tampering" if event.kind is EventKind.TAMPER else "motion"
    zones = f", in {', '.join(event.zones)}" if event.zones else ""
    caption = join(
        tag("b", f"{_capital(kind)}, {span_text(event.start_s, event.end_s)}"),
        tag("span", f"Score {event.score:.2f}{zones}; the picture is of {words.clock(picture.t_s)}."),
    )
    way = [(x, y) for _, x, y in event.track]
    return figure(
        picture, anchor=anchor, mark="false alarm" if known else kind, bad=known, caption=caption, way=way
    )


def _list(clip: Clip) -> Html | None:
    rows: list[tuple[float, float, str, str, float | None]] = [
        (label.start_s, label.end_s, f"label: {what_of(label)}", label.outcome, label.delay_s)
        for label in clip.result.labels
    ]
    rows += [
        (
            event.start_s,
            event.end_s,
            f"event: {event.kind}, score {event.score:.2f}",
            event.outcome or "",
            None,
        )
        for event in clip.result.events
    ]
    if not rows:
        return None
    told = (
        tag(
            "tr",
            tag("td", words.clock(start)),
            tag("td", words.clock(end)),
            tag("td", what),
            tag("td", {"true": "right"}.get(state, state)),
            tag("td", words.seconds(delay) if delay is not None else ""),
        )
        for start, end, what, state, delay in sorted(rows, key=lambda row: row[:3])
    )
    head = tag(
        "tr", *(tag("th", name, scope="col") for name in ("from", "to", "what", "how it went", "delay"))
    )
    return tag(
        "details",
        tag("summary", "All labels and events, in order"),
        tag("div", tag("table", tag("thead", head), tag("tbody", *told)), class_="scroll"),
        class_="more",
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
