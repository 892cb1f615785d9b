"""What a JPEG says of itself (ITU-T T.81, annex B), read from its head alone: nothing is decoded.

For pictures that others send: what is no JPEG, or one that would take too much memory to show, is refused.
"""

MAX_SIDE = 8192  # px
MAX_AREA = 40_000_000  # px: more than any camera has; as colours some 120 MB

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 … SOF15 without DHT, JPG, DAC
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length


class NoPictureError(ValueError):
    """It is no picture that can be shown; the message says why."""


def size(data: bytes) -> tuple[int, int]:
    """Width and height in px. Raises NoPictureError."""
    if data[:2] != bytes((0xFF, _SOI)):
        raise NoPictureError("it is no JPEG")
    found: tuple[int, int] | None = None
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise NoPictureError("its head is damaged")
        marker = data[at + 1]
        if marker == 0xFF:  # a byte of filling
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in (_SOI, _EOI):
            break
        elif marker == _SOS:
            return _fitting(found)
        else:
            length = int.from_bytes(data[at + 2 : at + 4])
            if marker in _FRAMES and at + 9 <= len(data):
                found = int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
            if length < 2:
                raise NoPictureError("its head is damaged")
            at += 2 + length
    raise NoPictureError("it breaks off in its head")


def _fitting(found: tuple[int, int] | None) -> tuple[int, int]:
    if found is None or 0 in found:
        raise NoPictureError("it does not say how large it is")
    width, height = found
    if max(found) > MAX_SIDE or width * height > MAX_AREA:
        raise NoPictureError(f"it has {width}x{height} px, more than any camera")
    return found
