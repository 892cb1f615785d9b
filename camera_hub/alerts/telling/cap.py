"""An alert as a CAP 1.2 message (OASIS Common Alerting Protocol), many as an Atom feed (RFC 4287). No I/O.

Each version of an alert is a message of its own, which refers to the first one: *Alert* when it opens,
*Update* as people work on it, *Cancel* when it was a false alarm or a test. Messages are for those who may
see alerts: their scope is Restricted.
"""

from datetime import UTC, datetime
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from camera_hub.alerts.life import Alert, AlertState
from camera_hub.alerts.rule import Urgency
from camera_hub.alerts.telling.texts import Facts, Language
from camera_hub.model import Verdict

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/cap+xml"
RESTRICTION = "For those who may see this hub's alerts"

_URGENCY = {Urgency.URGENT: "Immediate", Urgency.NORMAL: "Expected", Urgency.NOTICE: "Unknown"}
_SEVERITY = {Urgency.URGENT: "Severe", Urgency.NORMAL: "Moderate", Urgency.NOTICE: "Minor"}
_LANGUAGES: dict[Language, str] = {"vi": "vi-VN", "en": "en"}

Xml.register_namespace("", CAP)


class Subject(NamedTuple):
    """What a message is about."""

    alert: Alert
    exercise: bool  # of a rehearsal
    facts: dict[Language, Facts]
    words: dict[Language, tuple[str, str]]  # headline and description


def message(subject: Subject, sender: str) -> bytes:
    """The alert as it is now, as XML."""
    alert = subject.alert
    root = Xml.Element(f"{{{CAP}}}alert")
    _add(root, "identifier", _identifier(alert, alert.version))
    _add(root, "sender", sender)
    _add(root, "sent", _instant(alert.last.at_us if alert.last else alert.known_us))
    _add(root, "status", _status(subject))
    _add(root, "msgType", _type(alert))
    _add(root, "scope", "Restricted")
    _add(root, "restriction", RESTRICTION)
    if alert.version > 1:
        _add(root, "references", f"{sender},{_identifier(alert, 1)},{_instant(alert.known_us)}")
    for language, code in _LANGUAGES.items():
        _add_info(root, subject, language, code)
    return _written(root)


def feed(subjects: list[Subject], sender: str, address: str, title: str, now_us: int) -> bytes:
    """The newest messages; `address` is the feed's own."""
    root = Xml.Element(f"{{{ATOM}}}feed")
    newest_us = max((_sent_us(one.alert) for one in subjects), default=now_us)
    for name, text in (("id", address), ("title", title), ("updated", _instant(newest_us))):
        Xml.SubElement(root, f"{{{ATOM}}}{name}").text = _clean(text)
    Xml.SubElement(root, f"{{{ATOM}}}link", rel="self", href=address)
    author = Xml.SubElement(root, f"{{{ATOM}}}author")
    Xml.SubElement(author, f"{{{ATOM}}}name").text = sender
    for subject in subjects:
        entry = Xml.SubElement(root, f"{{{ATOM}}}entry")
        href = f"{address}/{subject.alert.id}"
        headline, description = subject.words["vi"]
        parts = (("id", href), ("title", headline), ("updated", _instant(_sent_us(subject.alert))))
        for name, text in parts:
            Xml.SubElement(entry, f"{{{ATOM}}}{name}").text = _clean(text)
        Xml.SubElement(entry, f"{{{ATOM}}}summary").text = _clean(description)
        Xml.SubElement(entry, f"{{{ATOM}}}link", rel="alternate", type=MEDIA_TYPE, href=href)
    return _written(root)


def _add_info(root: Xml.Element, subject: Subject, language: Language, code: str) -> None:
    alert, facts = subject.alert, subject.facts[language]
    headline, description = subject.words[language]
    info = Xml.SubElement(root, f"{{{CAP}}}info")
    _add(info, "language", code)
    _add(info, "category", "Security")
    _add(info, "event", facts.what)
    _add(info, "urgency", "Past" if alert.state is AlertState.CLOSED else _URGENCY[alert.urgency])
    _add(info, "severity", _SEVERITY[alert.urgency])
    _add(info, "certainty", "Observed" if alert.verdict is Verdict.REAL else "Likely")
    _add(info, "onset", _instant(alert.opened_us))
    _add(info, "headline", headline[:160])
    _add(info, "description", description)
    if facts.link:
        _add(info, "web", facts.link)
    area = Xml.SubElement(info, f"{{{CAP}}}area")
    _add(area, "areaDesc", ", ".join(part for part in (facts.cameras, facts.place, facts.site) if part))


def _status(subject: Subject) -> str:
    if subject.exercise:
        return "Exercise"
    return "Test" if subject.alert.verdict is Verdict.TEST else "Actual"


def _type(alert: Alert) -> str:
    if alert.verdict in (Verdict.FALSE, Verdict.TEST):
        return "Cancel"
    return "Alert" if alert.version == 1 else "Update"


def _identifier(alert: Alert, version: int) -> str:
    return f"{alert.id}.{version}"


def _sent_us(alert: Alert) -> int:
    return alert.last.at_us if alert.last else alert.known_us


def _instant(wall_us: int) -> str:
    """As CAP has it: to the second, and UTC as -00:00."""
    return datetime.fromtimestamp(wall_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")


def _add(parent: Xml.Element, name: str, text: str) -> None:
    Xml.SubElement(parent, f"{{{CAP}}}{name}").text = _clean(text)


def _clean(text: str) -> str:
    """Without the signs that XML 1.0 cannot carry."""
    return "".join(sign for sign in text if sign >= " " or sign in "\t\n\r")


def _written(root: Xml.Element) -> bytes:
    text: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return text
