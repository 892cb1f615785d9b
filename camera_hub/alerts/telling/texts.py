"""The words of a message, in Vietnamese and English, from templates that an administrator may change.

Templates are Jinja's, in its sandbox: they see the facts below and nothing else. No I/O.
"""

from typing import Any, Literal

import jinja2
import msgspec
from jinja2.sandbox import ImmutableSandboxedEnvironment

from camera_hub.alerts.occurrence import AlertKind
from camera_hub.model import HubError

Language = Literal["vi", "en"]

MAX_TITLE = 200
MAX_BODY = 2000


class Texts(msgspec.Struct, frozen=True):
    """The templates of one language."""

    title: str
    body: str
    many_title: str  # of several alerts in one message
    many_line: str  # of each of them


class Facts(msgspec.Struct, frozen=True):
    """What a template may name."""

    rule: str  # what the rule is called
    what: str  # the kind of alert in words
    site: str
    cameras: str  # their names, joined
    place: str  # where the first of them hangs
    zones: str
    day: str
    time: str  # when it happened, in the hub's time zone
    events: int  # how many belong to it
    late: bool  # the hub learned of it minutes later or more
    urgent: bool
    escalated: bool  # nobody has acknowledged it yet
    link: str


DEFAULT: dict[Language, Texts] = {
    "vi": Texts(
        title="{% if urgent %}KHẨN: {% endif %}{{ rule }}{% if escalated %} (chưa ai nhận){% endif %}",
        body="{% if cameras %}{{ cameras }}{% if place %} ({{ place }}){% endif %}, {% endif %}{{ site }}\n"
        "{{ what }} lúc {{ time }} ngày {{ day }}{% if zones %}, ở {{ zones }}{% endif %}"
        "{% if late %}\nXóm mất liên lạc lúc đó, nay mới báo được.{% endif %}",
        many_title="{{ count }} báo động mới",
        many_line="{{ time }} {{ rule }}: {{ cameras or site }}",
    ),
    "en": Texts(
        title="{% if urgent %}URGENT: {% endif %}{{ rule }}"
        "{% if escalated %} (nobody has taken it){% endif %}",
        body="{% if cameras %}{{ cameras }}{% if place %} ({{ place }}){% endif %}, {% endif %}{{ site }}\n"
        "{{ what }} at {{ time }} on {{ day }}{% if zones %}, in {{ zones }}{% endif %}"
        "{% if late %}\nThe hamlet was not linked then; this arrives late.{% endif %}",
        many_title="{{ count }} new alerts",
        many_line="{{ time }} {{ rule }}: {{ cameras or site }}",
    ),
}

WHAT: dict[Language, dict[AlertKind, str]] = {
    "vi": {
        AlertKind.MOTION: "Có chuyển động",
        AlertKind.TAMPER: "Camera bị can thiệp",
        AlertKind.CAMERA_AWAY: "Camera mất kết nối",
        AlertKind.SITE_AWAY: "Xóm mất liên lạc",
        AlertKind.DISK: "Ổ đĩa đầy hoặc hỏng",
        AlertKind.CLOCK: "Đồng hồ sai",
    },
    "en": {
        AlertKind.MOTION: "Movement",
        AlertKind.TAMPER: "Somebody interferes with the camera",
        AlertKind.CAMERA_AWAY: "Camera lost",
        AlertKind.SITE_AWAY: "Hamlet not linked",
        AlertKind.DISK: "A disk is full or failing",
        AlertKind.CLOCK: "The clock is wrong",
    },
}

ACKNOWLEDGE: dict[Language, str] = {"vi": "Nhận việc", "en": "Acknowledge"}

TEST: dict[Language, tuple[str, str]] = {
    "vi": ("Thử báo động", "Kênh này hoạt động. Không có việc gì xảy ra."),
    "en": ("A test of alerts", "This channel works. Nothing has happened."),
}
"""Title and body of a message that only tries a channel."""


class TemplateError(HubError):
    """A template that cannot be used; the message says where."""


_environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)


def title_and_body(texts: Texts, facts: Facts) -> tuple[str, str]:
    """Raises TemplateError."""
    known = msgspec.structs.asdict(facts)
    return _rendered(texts.title, known)[:MAX_TITLE], _rendered(texts.body, known)[:MAX_BODY]


def of_many(texts: Texts, all_facts: list[Facts]) -> tuple[str, str]:
    """One message for several alerts. Raises TemplateError."""
    lines = [_rendered(texts.many_line, msgspec.structs.asdict(facts)) for facts in all_facts]
    title = _rendered(texts.many_title, {"count": len(all_facts)})
    return title[:MAX_TITLE], "\n".join(lines)[:MAX_BODY]


def check(texts: Texts) -> None:
    """Raises TemplateError when one of the templates cannot be used."""
    example = Facts("", "", "", "", "", "", "", "", 1, False, False, False, "")
    title_and_body(texts, example)
    of_many(texts, [example])


def _rendered(template: str, known: dict[str, Any]) -> str:
    try:
        return _environment.from_string(template).render(known).strip()
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, MemoryError, OverflowError) as exc:
        line = getattr(exc, "lineno", None)
        where = f" (line {line})" if line else ""
        raise TemplateError(f"the template cannot be used{where}: {exc}") from exc
