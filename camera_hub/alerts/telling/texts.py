"""The words of a message, in Vietnamese and English, from templates that an administrator may change.

Templates are Jinja's, in its sandbox: they see the facts below and nothing else. No I/O.
"""

import traceback
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
        AlertKind.FLOOD: "Xóm gửi dồn dập bất thường",
    },
    "en": {
        AlertKind.MOTION: "Movement",
        AlertKind.TAMPER: "Somebody interferes with the camera",
        AlertKind.CAMERA_AWAY: "Camera lost",
        AlertKind.SITE_AWAY: "Hamlet not linked",
        AlertKind.DISK: "A disk is full or failing",
        AlertKind.CLOCK: "The clock is wrong",
        AlertKind.FLOOD: "The hamlet sends far too much",
    },
}

BROKEN: dict[Language, str] = {
    "vi": "mẫu lời nhắn bị lỗi nên dùng lời có sẵn; nhờ quản trị sửa lại",
    "en": "the template is broken, so these are the words that came with the hub; ask an administrator",
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
    """Raises TemplateError. Of an administrator's templates, see `templates`."""
    known = msgspec.structs.asdict(facts)
    title = _rendered("title", texts.title, known)[:MAX_TITLE]
    return title, _rendered("body", texts.body, known)[:MAX_BODY]


def of_many(texts: Texts, all_facts: list[Facts]) -> tuple[str, str]:
    """One message for several alerts. Raises TemplateError."""
    lines: list[str] = []
    length = 0
    for facts in all_facts:
        line = _rendered("many_line", texts.many_line, msgspec.structs.asdict(facts))[:MAX_BODY]
        lines.append(line)
        length += len(line) + 1
        if length > MAX_BODY:
            break
    title = _rendered("many_title", texts.many_title, {"count": len(all_facts)})
    return title[:MAX_TITLE], "\n".join(lines)[:MAX_BODY]


def _rendered(name: str, template: str, known: dict[str, Any]) -> str:
    try:
        return _environment.from_string(template).render(known).strip()
    except MemoryError as exc:
        raise TemplateError(f"the template cannot be used ({name}): it takes too much memory") from exc
    except Exception as exc:  # whatever a template makes Python say
        line = _line(exc)
        where = f"{name}, line {line}" if line else name
        raise TemplateError(f"the template cannot be used ({where}): {exc}") from exc


def _line(exc: Exception) -> int | None:
    """Where in the template it went wrong."""
    if isinstance(exc, jinja2.TemplateSyntaxError):
        return exc.lineno
    found = None
    for frame, line in traceback.walk_tb(exc.__traceback__):
        if frame.f_code.co_filename == "<template>":
            found = line
    return found
