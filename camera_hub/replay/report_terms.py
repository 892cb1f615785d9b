"""What the words of the report mean, at its foot; docs/tester.md has the exact definitions."""

from camera_hub.replay.report_html import Html, tag

SCORE = (
    (
        "Found, missed",
        "A label is found when an event starts in it, from 1 s before it to its end. Labels less than 5 s "
        "apart are one. Tampering is found when its event starts within 10 s.",
    ),
    (
        "False",
        "An event that overlaps no label grown by 1 s on each side. What overlaps a “maybe” counts "
        "neither way.",
    ),
    (
        "Quiet time reported",
        "The share of the time outside the labels, grown by 3 s, in which an event was open.",
    ),
    ("Delay", "From a label's start to the start of the event that found it."),
)
SIGNALS = (
    (
        "Differs, light",
        "The share of the picture that is not as usual, and by how many of 255 tones the light has changed.",
    ),
    (
        "Tracks",
        "What is followed from frame to frame (dashed boxes), and of that the movers (green boxes). An "
        "event's own mover and its path are amber; where labels say that somebody is, the box is red.",
    ),
    (
        "Packets",
        "By how much the packets are heavier than usual, as a share of what wakes the gate (1). "
        "Asleep, only keyframes are decoded, and not all of them.",
    ),
)


def footer(scored: bool) -> Html:
    """The words; those of the score only where there is one."""
    terms = (SCORE if scored else ()) + SIGNALS
    told = (tag("div", tag("dt", name), tag("dd", text)) for name, text in terms)
    return tag("footer", tag("h2", "What the words mean"), tag("dl", *told))
