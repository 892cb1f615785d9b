"""The report of a replay shows what went wrong, stands alone, and takes no name for markup."""

import re
from html.parser import HTMLParser

import pytest

from camera_hub.model import HubError
from camera_hub.replay.report import report, write_report
from camera_hub.replay.report_html import VOID, Html, join, tag
from camera_hub.replay.report_plots import POINTS, Line, plot
from camera_hub.replay.report_view import names
from camera_hub.replay.report_words import clock, long, share
from camera_hub.replay.runner import results_of
from tests.support.replayed import MADE, NASTY, results


class Page(HTMLParser):
    """Holds that all that is opened is closed, and keeps what is asked for."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, element: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((element, dict(attributes)))
        if element not in VOID:
            self.open.append(element)

    def handle_endtag(self, element: str) -> None:
        assert self.open.pop() == element

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, element: str, class_: str = "") -> list[dict[str, str | None]]:
        return [
            attributes
            for name, attributes in self.found
            if name == element and (not class_ or class_ in (attributes.get("class") or "").split())
        ]


@pytest.fixture(scope="module")
def text() -> str:
    made, traces = results()
    return report(made, traces, passed_s=4.0, made=MADE)


def test_every_miss_and_every_false_alarm_has_its_picture(text: str) -> None:
    page = Page(text)
    # Three labels missed in two clips, two false events in one, and one event of a clip without labels.
    assert len(page.all("figure")) == 6
    assert page.texts.count("missed") >= 3
    assert page.texts.count("false alarm") == 2
    images = [image["src"] or "" for image in page.all("img")]
    assert all(source.startswith("data:image/jpeg;base64,") for source in images)
    anchors = {figure["id"] for figure in page.all("figure")}
    linked = {(link["href"] or "")[1:] for link in page.all("a")}
    assert anchors <= linked


def test_names_are_text(text: str) -> None:
    page = Page(text)
    assert NASTY in page.texts
    assert any("<b>người</b>" in told.lower() for told in page.texts)
    assert len(page.all("script")) == 1
    assert not any("onerror" in attributes for _, attributes in page.found)


def test_it_asks_nothing_of_the_network(text: str) -> None:
    assert not re.search(r"https?:", text)
    page = Page(text)
    for _, attributes in page.found:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#"))
    assert not page.all("link")
    assert "url(" not in text
    assert "@import" not in text


def test_the_worst_comes_first_and_what_is_right_is_folded(text: str) -> None:
    clips = Page(text).all("details", "clip")
    opened = ["open" in clip for clip in clips]
    names = [(clip["data-words"] or "").split("/", 1)[1].split(".mp4")[0] for clip in clips]
    assert opened == sorted(opened, reverse=True)
    assert opened.count(True) == 3
    assert names[:3] == [NASTY.removesuffix(".mp4"), "two-missed", "broken"]
    assert names[-2:] == ["right", "silent"]


def test_the_totals_are_those_of_the_results(text: str) -> None:
    made, _ = results()
    total = made.total.score
    assert total is not None
    page = Page(text)
    assert f"{total.f1:.3f}" in page.texts
    assert share(total.precision, 1) in page.texts
    assert share(total.recall, 1) in page.texts
    assert f"{total.false_per_hour:.2f}" in page.texts
    for condition in made.total.per_condition:
        assert condition in page.texts


def test_without_labels_nothing_is_scored() -> None:
    made, traces = results()
    unlabelled = [
        (clip, trace) for clip, trace in zip(made.clips, traces, strict=True) if "nhãn" in clip.clip
    ]
    page = Page(
        report(results_of([clip for clip, _ in unlabelled]), [unlabelled[0][1]], passed_s=1, made=MADE)
    )
    assert "F1" not in page.texts
    assert len(page.all("figure")) == 1


def test_no_clips_are_a_report_too() -> None:
    Page(report(results_of([]), [], passed_s=0.0, made=MADE))


def test_two_hundred_clips_stay_small() -> None:
    few, many = (report(*results(extra), passed_s=4.0, made=MADE) for extra in (0, 200))
    assert (len(many) - len(few)) / 200 < 40_000


def test_it_says_when_it_cannot_be_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("there")
    made, traces = results()
    with pytest.raises(HubError, match="cannot be written"):
        write_report(folder, made, traces, passed_s=1.0, made=MADE)


def test_a_plot_keeps_its_peak_and_is_thinned() -> None:
    points = tuple((n / 100, float(n % 7 == 0)) for n in range(100_000))
    peak = (*points[:5], (0.055, 9.0), *points[5:])
    drawn = plot([Line("x", peak, "l-x")], 1000.0, 10.0)
    places = re.findall(r"[ML](\d+) (\d+)", drawn)
    assert len(places) <= POINTS + 1
    assert min(int(y) for _, y in places) == 10


def test_a_plot_leaves_out_what_lies_on_its_line() -> None:
    flat = plot([Line("x", tuple((float(n), 0.0) for n in range(500)), "l-x")], 500.0, 1.0)
    assert len(re.findall(r"[ML]", flat)) == 2


def test_pieces_of_html() -> None:
    assert tag("p", "a < b", class_="x", data_n=1, hidden=True, open=False) == (
        '<p class="x" data-n="1" hidden>a &lt; b</p>'
    )
    assert join("<", Html("<br>"), None) == "&lt;<br>"


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.5, "0:07.5"), (0.04, "0:00.0"), (59.96, "1:00.0"), (3605, "1:00:05.0")]
)
def test_times_within_a_clip(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_clips_are_named_without_what_they_have_in_common() -> None:
    assert names(["a/b/x.mp4", "a/b/c/x.mp4"]) == ["x.mp4", "c/x.mp4"]
    assert names(["/a/1/x.mp4", "/a/2/x.mp4"]) == ["1/x.mp4", "2/x.mp4"]
    assert names(["a/b/x.mp4"]) == ["x.mp4"]
    assert names([]) == []


def test_numbers_in_words() -> None:
    assert [share(value) for value in (None, 0.0, 0.0004, 0.021, 0.5)] == [
        "–",
        "0 %",
        "0.04 %",
        "2.1 %",
        "50 %",
    ]
    assert [long(value) for value in (7.2, 60, 75, 3700)] == ["7 s", "1 min", "1 min 15 s", "1 h 1 min"]
