"""What is taken for a picture, by its head alone."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub import jpeg
from camera_hub.jpeg import NoPictureError
from tests.support.server import JPEG


@pytest.mark.parametrize("progressive", [0, 1])
def test_a_cameras_picture_is_one(progressive: int) -> None:
    picture = np.full((360, 640, 3), 90, np.uint8)
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive])[1].tobytes()
    assert jpeg.size(data) == (640, 360)


def resized(width: int, height: int) -> bytes:
    """The small picture with another size written in its head."""
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + height.to_bytes(2) + width.to_bytes(2) + JPEG[at + 4 :]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "no JPEG"),
        (b"\x89PNG\r\n\x1a\n", "no JPEG"),
        (b"\xff\xd8<html><script>alert(1)</script></html>", "damaged"),
        (b"\xff\xd8" + bytes(range(256)), "damaged"),
        (JPEG[:60], "breaks off"),
        (b"\xff\xd8\xff\xd9", "breaks off"),
        (resized(60_000, 60_000), "60000x60000"),
        (resized(8192, 8192), "8192x8192"),
        (resized(0, 8), "how large"),
    ],
)
def test_what_is_none_is_refused_in_words(data: bytes, why: str) -> None:
    with pytest.raises(NoPictureError, match=why):
        jpeg.size(data)


@given(st.binary(max_size=200), st.integers(0, len(JPEG)))
def test_any_bytes_are_a_picture_of_a_size_or_none(data: bytes, at: int) -> None:
    for one in (data, JPEG[:at] + data, JPEG[:at] + data + JPEG[at:]):
        try:
            width, height = jpeg.size(one)
        except NoPictureError:
            continue
        assert 0 < width * height <= jpeg.MAX_AREA
