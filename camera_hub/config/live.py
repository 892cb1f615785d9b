"""Live views: how many may watch, and how browsers and the server find a way to each other."""

import re

from pydantic import Field, SecretStr, field_validator

from camera_hub.config.section import Section, wrong

_HOST = r"(\[[0-9a-fA-F:]+\]|[^\s:?@/\[\]]+)"
_STUN = re.compile(rf"stun:{_HOST}(:\d{{1,5}})?")
_TURN = re.compile(rf"turns?:{_HOST}(:\d{{1,5}})?(\?transport=(udp|tcp))?")
_PORTS = re.compile(r"(\d{1,5})\s*-\s*(\d{1,5})")


class TurnConfig(Section):
    """TURN servers that relay for browsers, with the shared secret of coturn's `use-auth-secret`."""

    urls: tuple[str, ...] = Field(
        min_length=1, description="Where they answer. Example: turn:turn.example.vn:3478?transport=udp"
    )
    secret: SecretStr = Field(
        min_length=8, description="What coturn has as static-auth-secret; best as ${NAME}."
    )
    valid_s: int = Field(
        default=14_400, ge=60, le=604_800, description="A viewer's credentials hold so many seconds."
    )

    @field_validator("urls")
    @classmethod
    def _are_turn(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_TURN.fullmatch(url) for url in urls):
            raise wrong("has an entry that names no TURN server; write turn:HOST:PORT or turns:HOST:PORT")
        return urls


class TranscodeConfig(Section):
    """Encoding streams anew as H.264 for browsers that do not play them as they are: H.265, mostly."""

    max: int = Field(
        default=0,
        ge=0,
        le=32,
        description="So many streams at once, over all cameras, however many watch each; 0: none. One of "
        "1080p at 25 pictures a second takes about a third of a core.",
    )
    height: int = Field(
        default=720,
        ge=144,
        le=2160,
        description="The height of what comes out, px; a smaller picture keeps its size.",
    )
    fps: float | None = Field(
        default=None,
        ge=1,
        le=60,
        allow_inf_nan=False,
        description="At most so many pictures a second. Without it all that the camera sends.",
    )
    kbit: int = Field(
        default=1500,
        ge=100,
        le=20_000,
        description="At most so many kbit a second; a quiet scene takes less.",
    )


class LiveConfig(Section):
    """Live views: how many, and by which ways."""

    max_viewers: int = Field(
        default=600, ge=1, le=100_000, description="So many live views may be open at once, in all."
    )
    max_viewers_per_camera: int = Field(
        default=300, ge=1, le=100_000, description="So many of one camera, its streams together."
    )
    max_viewers_per_user: int = Field(
        default=64, ge=1, le=100_000, description="So many of one user; a wall has one for each tile."
    )
    udp_ports: str | None = Field(
        default=None,
        description="The UDP ports of WebRTC, one for each of its viewers, for a firewall to let through. "
        "Example: 50000-50100. Without it the system picks.",
    )
    stun: tuple[str, ...] = Field(
        default=(),
        description="STUN servers, where the server is behind NAT: they tell it and browsers their public "
        "addresses. Example: stun:stun.example.vn:3478",
    )
    turn: TurnConfig | None = Field(
        default=None, description="TURN servers, for browsers whose network lets no UDP through to us."
    )

    transcode: TranscodeConfig = Field(
        default=TranscodeConfig(), description="Encoding streams anew for browsers that do not play H.265."
    )

    @field_validator("udp_ports")
    @classmethod
    def _is_a_range(cls, text: str | None) -> str | None:
        match = None if text is None else _PORTS.fullmatch(text.strip())
        if text is not None and (match is None or not 1 <= int(match[1]) <= int(match[2]) <= 65_535):
            raise wrong("is no range of ports; write the first and the last, as in 50000-50100")
        return text

    @field_validator("stun")
    @classmethod
    def _are_stun(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_STUN.fullmatch(url) for url in urls):
            raise wrong("has an entry that names no STUN server; write stun:HOST:PORT")
        return urls

    @property
    def ports(self) -> range | None:
        """`udp_ports` as numbers."""
        match = None if self.udp_ports is None else _PORTS.fullmatch(self.udp_ports.strip())
        return None if match is None else range(int(match[1]), int(match[2]) + 1)
