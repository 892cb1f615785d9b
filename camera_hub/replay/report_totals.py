"""The score of many clips at a glance: the totals, and the same for every condition."""

from collections.abc import Mapping

from camera_hub.replay import report_words as words
from camera_hub.replay.report_html import Html, Piece, join, tag
from camera_hub.replay.result import Score, Total


def totals(total: Total, passed_s: float) -> Html:
    """All clips together; `passed_s` is how long the replay took on the wall."""
    if total.score is None:
        return tag("section", _unscored(total), _facts(_work(total, passed_s)), class_="totals")
    return tag(
        "section", _lead(total.score), _facts(_quality(total.score) + _work(total, passed_s)), class_="totals"
    )


def _lead(score: Score) -> Html:
    parts = (("found", score.found), ("missed", score.missed), ("false", score.false))
    split = (tag("i", class_=f"i-{name}", style=f"flex:{count}") for name, count in parts if count)
    key = (tag("span", tag("b", str(count)), f" {name}") for name, count in parts)
    return tag(
        "div",
        tag("span", "F1", class_="label"),
        tag("span", words.number(score.f1, 3), class_="big"),
        tag("div", *split, class_="split"),
        tag("div", *key, class_="key"),
        class_="lead",
    )


def _unscored(total: Total) -> Html:
    return tag(
        "div",
        tag("span", "Events reported", class_="label"),
        tag("span", str(total.events), class_="big"),
        tag("div", "No clip has labels, so nothing is scored.", class_="key"),
        class_="lead",
    )


Fact = tuple[str, str, str, bool]
"""Name, value, a word on it, and whether it is something to be sorry for."""


def _quality(score: Score) -> list[Fact]:
    facts: list[Fact] = [
        ("Precision", words.share(score.precision, 1), f"{score.false} false", bool(score.false)),
        (
            "Recall",
            words.share(score.recall, 1),
            f"{score.found} of {words.many(score.found + score.missed, 'label')} found",
            bool(score.missed),
        ),
        (
            "False alarms per hour",
            words.number(score.false_per_hour),
            f"over {words.long(score.duration_s)}",
            bool(score.false_per_hour),
        ),
        (
            "Quiet time reported",
            words.share(score.quiet_reported),
            f"of {words.long(score.quiet_s)} without motion",
            (score.quiet_reported or 0) > 0.01,
        ),
        (
            "Delay, median",
            words.seconds(score.delay_median_s),
            f"95 % within {words.seconds(score.delay_p95_s)}",
            False,
        ),
    ]
    tampers = score.tamper_found + score.tamper_missed
    if tampers or score.tamper_false:
        facts.append(
            (
                "Tampering found",
                f"{score.tamper_found} of {tampers}",
                f"{score.tamper_false} false",
                bool(score.tamper_missed or score.tamper_false),
            )
        )
    return facts


def _work(total: Total, passed_s: float) -> list[Fact]:
    decoded = total.frames_decoded / total.frames if total.frames else None
    speed = total.duration_s / passed_s if passed_s > 0 else None
    cost = total.cpu_s / total.duration_s if total.duration_s else None
    facts: list[Fact] = [
        ("Frames decoded", words.share(decoded), f"{total.frames_decoded:,} of {total.frames:,}", False),
        (
            "Speed",
            words.times(speed),
            f"{words.long(total.duration_s)} in {words.long(passed_s)}",
            False,
        ),
        ("CPU", words.share(cost, 1), "of a core per camera", False),
    ]
    if total.errors:
        facts.append(
            ("Not played to the end", str(total.errors), f"of {words.many(total.clips, 'clip')}", True)
        )
    return facts


def _facts(facts: list[Fact]) -> Html:
    across = 3 if len(facts) % 3 == 0 else 4
    return tag(
        "dl",
        *(
            tag(
                "div",
                tag("dt", name),
                tag("dd", value, tag("small", aside)),
                class_="bad" if bad else None,
            )
            for name, value, aside, bad in facts
        ),
        class_=f"facts by-{across}",
    )


def conditions(scores: Mapping[str, Score]) -> Html:
    """A line for each condition, the worst first."""
    if not scores:
        return Html("")
    ordered = sorted(scores.items(), key=lambda item: (_worth(item[1]), item[0]))
    names = ("Condition", "F1", "Clips", "Found", "Missed", "False", "False/h", "Quiet told", "Delay")
    head = tag("tr", *(tag("th", name, scope="col") for name in names))
    table = tag(
        "table",
        tag("thead", head),
        tag("tbody", *(_condition(name, score, names) for name, score in ordered)),
        class_="conditions",
    )
    return join(
        tag("h2", "Conditions", tag("span", "worst first", class_="aside"), id="conditions"),
        tag("div", table, class_="sheet"),
    )


def _worth(score: Score) -> float:
    """What is wrong weighs more than what cannot be said."""
    if score.f1 is not None:
        return score.f1
    return 1.0 - 0.5 * bool(score.tamper_missed or score.tamper_false)


def _condition(name: str, score: Score, names: tuple[str, ...]) -> Html:
    false = score.false + score.tamper_false
    found, missed = score.found + score.tamper_found, score.missed + score.tamper_missed
    meter = (
        tag("span", tag("i", style=f"width:{100 * score.f1:.0f}%"), class_="meter")
        if score.f1 is not None
        else None
    )
    cells: list[tuple[Piece, bool]] = [
        (join(meter, words.number(score.f1)), False),
        (str(score.clips), False),
        (str(found), False),
        (str(missed), missed > 0),
        (str(false), false > 0),
        (words.number(score.false_per_hour, 1), False),
        (words.share(score.quiet_reported), (score.quiet_reported or 0) > 0.01),
        (words.seconds(score.delay_median_s), False),
    ]
    told = (
        tag("td", value, class_="bad" if bad else "none" if value == words.NONE else None, data_name=label)
        for (value, bad), label in zip(cells, names[1:], strict=True)
    )
    return tag("tr", tag("th", name, scope="row"), *told)
