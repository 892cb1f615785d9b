"""A replay's results for a CI server, in the XML that JUnit made common: a test case a clip.

A clip with a miss or a false alarm fails, one that cannot be read is an error, and one without
labels is skipped.
"""

import re
from pathlib import PurePath
from xml.etree import ElementTree as ET

from camera_hub.replay.report_words import clock
from camera_hub.replay.result import ClipResult, Results

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Results) -> bytes:
    """The whole file."""
    suite = ET.Element("testsuite", name="camera-hub replay")
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for clip in results.clips:
        case = _case(clip)
        suite.append(case)
        counts["tests"] += 1
        for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            counts[count] += case.find(tag) is not None
    time = {"time": f"{results.total.wall_s:.3f}"}
    suite.attrib.update({key: str(value) for key, value in counts.items()} | time)
    root = ET.Element("testsuites", dict(suite.attrib))
    root.append(suite)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _case(clip: ClipResult) -> ET.Element:
    path = PurePath(clip.clip)
    case = ET.Element(
        "testcase", name=_clean(path.name), classname=_clean(str(path.parent)), time=f"{clip.wall_s:.3f}"
    )
    if isinstance(clip.error, str):
        ET.SubElement(case, "error", message=_clean(clip.error))
    elif clip.score is None:
        ET.SubElement(case, "skipped", message="it has no labels")
    else:
        faults = _faults(clip)
        if faults:
            failure = ET.SubElement(case, "failure", message=_clean("; ".join(faults)), type="score")
            failure.text = _clean("\n".join(faults))
    return case


def _faults(clip: ClipResult) -> list[str]:
    faults = []
    for label in clip.labels:
        if label.outcome == "missed":
            what = f" ({label.what})" if label.what else ""
            faults.append(f"missed {label.kind} {clock(label.start_s)}–{clock(label.end_s)}{what}")
    false = (event for event in clip.events if event.outcome == "false")
    return faults + [f"false {event.kind} {clock(event.start_s)}–{clock(event.end_s)}" for event in false]


def _clean(text: str) -> str:
    """Without the signs that XML cannot hold."""
    return _NOT_XML.sub("�", text)
