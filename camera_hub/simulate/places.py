"""The seven views of the practice hamlet: where each camera stands and what stands before it.

Ways begin and end outside the picture, so that nobody appears from nowhere. Widths of view: at a
distance z the picture reaches to about 0.72 z on each side, and from about 6 m on downwards.
"""

from camera_hub.simulate.optics import Optics
from camera_hub.simulate.scene import Band, Hill, Patch, Point, Route, Scene, Thing

ROLLING = ("motorbike", "bicycle")
ON_FOOT = ("person", "dog")
ALL = ("person", "motorbike", "bicycle", "dog")


def _row(kind: str, a: Point, b: Point, count: int, tall: float) -> tuple[Thing, ...]:
    """Plants in a row from a to b, none quite like the next."""
    things = []
    for i in range(count):
        t = (i + 0.5) / count
        x, z = a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t
        things.append(
            Thing(kind, x + 0.7 * ((i * 37) % 5 - 2) / 2, z + (i * 53) % 3, (tall * (0.85 + 0.1 * (i % 4)),))
        )
    return tuple(things)


_CONG_LANG = Scene(
    "cong-lang", "Cổng làng", Optics(4.6, 12, 72), ("day",),
    bands=(Band(((-1, -2), (-0.3, 8), (0, 18), (1.5, 34), (9, 50), (30, 62), (70, 74)), 3.4),),
    routes=(
        Route(((52, 69), (30, 62), (9, 50), (1.5, 34), (0, 18), (-0.4, 8), (-0.9, 2.5)), ROLLING),
        Route(((-19, 21), (-9, 20.6), (-1.6, 20), (-0.4, 15), (-0.6, 8), (-0.9, 2.5)), ALL, (0.55,)),
        Route(((-11.5, 12), (-3, 12.2), (4, 12), (12, 12.6)), ON_FOOT, (0.4,)),
    ),
    patches=(Patch("tea", 5.5, 19.5, 34, 40, 8), Patch("dirt", -12, 10.5, 12, 13.5)),
    hills=(Hill(34, 84, 30, 22, 12), Hill(-30, 78, 30, 24, 10), Hill(-70, 120, 40, 40, 18, False)),
    things=(
        Thing("gate", 0, 17, (5.0, 4.6), text="LÀNG VĂN HÓA KHE CỐC"),
        Thing("wall", -7.6, 17, (8.6, 1.5, 0.24)),
        Thing("wall", 8.6, 17, (10.6, 1.1, 0.24), look=1),
        Thing("house", -10.5, 30, (10, 7, 3.4, 2.2), 8, 0),
        Thing("house", -21, 36, (9, 7, 3.2, 2.0), -6, 3),
        Thing("house", 13, 52, (9, 7, 3.2, 2.1), -14, 1),
        Thing("tree", -5.4, 22.5, (6.6,)), Thing("tree", -17, 28, (7.5,)), Thing("tree", 7.5, 46, (7.0,)),
        Thing("palm", -4.6, 27.5, (7.2,)), Thing("palm", -14.6, 24.5, (8.0,)),
        Thing("palm", -16.2, 25.2, (7.0,)),
        Thing("banana", -8.2, 21.8, (3.2,)), Thing("banana", 3.6, 24.8, (2.4,)),
        Thing("pole", 4.5, 15, (7.6,)), Thing("pole", 5.2, 36, (7.6,)), Thing("pole", 14, 56, (7.6,)),
        Thing("stack", -6.0, 25, (3.0, 3.0)), Thing("bush", -4.4, 15.6, (1.1,)),
        Thing("bush", 6.2, 15.8, (1.2,)),
        *_row("tree", (-40, 62), (-4, 66), 9, 7.5), *_row("tree", (22, 68), (60, 72), 7, 7.0),
        *_row("tuft", (-7, 9), (-2.6, 14), 7, 0.34), *_row("tuft", (2.2, 8), (6.5, 11), 6, 0.32),
    ),
    sun_deg=-128,
    clip_s=36,
)  # fmt: skip

_NHA_VAN_HOA = Scene(
    "nha-van-hoa", "Nhà văn hóa", Optics(5.2, 13, 74), ("day", "clouds"),
    bands=(Band(((-40, 9.4), (-10, 9.2), (10, 9.6), (40, 9.2)), 3.2),),
    routes=(
        Route(((-10.5, 9), (0, 9.2), (10.5, 9.4)), ALL, (0.5,)),
        Route(((-22, 25), (-9, 22), (3, 20), (12, 16), (16, 14)), ON_FOOT, (0.45, 0.6)),
        Route(((20, 21), (6, 18), (-5, 13.5), (-9, 8), (-9, 4)), ("person", "bicycle"), (0.4,)),
    ),
    patches=(Patch("yard", -17, 12.6, 17, 31),),
    hills=(Hill(-50, 84, 30, 25, 12), Hill(44, 90, 36, 26, 14), Hill(0, 130, 50, 30, 15, False)),
    things=(
        Thing("house", 0, 37, (18, 8, 4.2, 3.0), 0, 5, "NHÀ VĂN HÓA XÓM KHE CỐC"),
        Thing("house", -23, 38, (9, 7, 3.3, 2.1), 24, 2),
        Thing("pole", -6.5, 26, (8.5,), look=2),
        Thing("wall", 17.3, 22, (18, 1.3, 0.22), 90), Thing("wall", -17.3, 23, (16, 1.3, 0.22), -90),
        Thing("tree", -14, 28.5, (7.0,)), Thing("tree", 14, 29, (7.6,)), Thing("tree", 20, 36, (8.5,)),
        Thing("palm", -10.8, 31.5, (8.0,)), Thing("palm", 10.8, 31.5, (8.4,)),
        Thing("palm", 12.6, 32, (7.4,)),
        Thing("pole", 9.5, 11.8, (7.5,)), Thing("pole", -24, 12.2, (7.5,)),
        Thing("bush", -8, 31.5, (1.1,)), Thing("bush", 8, 31.5, (1.1,)), Thing("bush", -6.6, 31.6, (0.9,)),
        Thing("banana", -20, 30, (3.4,)), Thing("stack", 21.5, 30, (3.2, 3.0)),
        *_row("tree", (-50, 58), (50, 58), 14, 8.5),
        *_row("tuft", (-9, 11.3), (9, 11.4), 8, 0.3), *_row("tuft", (-8, 6.0), (8, 6.0), 8, 0.3),
    ),
    sun_deg=-150,
    clip_s=44,
)  # fmt: skip

_NGA_BA = Scene(
    "nga-ba-doi-che", "Ngã ba đồi chè", Optics(5.0, 11, 76), ("day", "wind"),
    bands=(
        Band(((0, -2), (0, 9), (-2, 15), (-9, 22), (-26, 29), (-70, 38)), 3.2),
        Band(((0, 9), (2.5, 15), (9, 21), (26, 27), (70, 34)), 3.0),
    ),
    routes=(
        Route(((-34, 31), (-26, 29), (-9, 22), (-2, 15), (0, 9), (0, 2.5)), (*ROLLING, "person")),
        Route(((33, 28.5), (26, 27), (9, 21), (2.5, 15), (0, 9), (0, 2.5)), (*ROLLING, "person"), (0.5,)),
        Route(((-34, 31), (-26, 29), (-9, 22), (0, 13), (9, 21), (26, 27), (33, 28.5)), ROLLING),
        Route(((-10.5, 12), (-4, 12.6), (0, 10), (0, 2.5)), ON_FOOT, (0.5,)),
    ),
    patches=(Patch("tea", -30, 9, -3.2, 18, 88), Patch("tea", 5, 9.5, 30, 17, 96)),
    hills=(Hill(0, 46, 21, 17, 8), Hill(-36, 62, 26, 20, 11), Hill(40, 60, 26, 22, 12),
           Hill(-5, 110, 60, 30, 20, False)),
    things=(
        Thing("tree", 3.6, 20.6, (4.6,)), Thing("tree", -13, 28, (6.0,)), Thing("tree", 19, 31, (6.6,)),
        Thing("palm", -7.0, 27.5, (7.0,)), Thing("palm", 6.2, 27, (7.4,)), Thing("palm", 7.4, 28, (6.6,)),
        Thing("bamboo", -19, 35, (7.5,)), Thing("banana", 1.0, 22.5, (2.8,)),
        Thing("pole", -3.4, 10, (7.4,)), Thing("pole", -11.5, 25.5, (7.4,)), Thing("pole", -30, 33, (7.4,)),
        Thing("house", 24, 37, (8, 6, 3.0, 2.0), -20, 3),
        Thing("bush", 1.6, 19.8, (1.0,)), Thing("bush", -1.2, 20.2, (1.2,)),
        *_row("tuft", (-5, 7), (-2, 12), 6, 0.32), *_row("tuft", (2.2, 7), (4.6, 12), 6, 0.3),
        *_row("tree", (-20, 84), (26, 86), 8, 8.0),
    ),
    sun_deg=125,
)  # fmt: skip

_DUONG_SUOI = Scene(
    "duong-suoi", "Đường ven suối", Optics(4.3, 12, 70), ("dusk", "rain"),
    bands=(
        Band(((-2, -2), (-1.5, 8), (-2.5, 18), (-8, 29), (-24, 40), (-70, 52)), 3.4),
        Band(((7.5, -2), (7, 8), (7.4, 18), (10, 32), (8, 60), (14, 190)), 5.0, "stream"),
    ),
    routes=(
        Route(((-37, 43.6), (-24, 40), (-8, 29), (-2.5, 18), (-1.5, 8), (-1.8, 2.5)), ROLLING),
        Route(((-11.5, 14.5), (-6, 14), (-2.4, 13), (-1.6, 8), (-1.8, 2.5)), (*ON_FOOT, "bicycle"), (0.4,)),
        Route(((-18, 24), (-9, 24.6), (-4.6, 22), (-2.2, 16), (-1.6, 8), (-1.8, 2.5)), ("person",), (0.6,)),
    ),
    patches=(Patch("paddy", 13.5, 14, 60, 44), Patch("dirt", -14, 13, -3, 15.2)),
    hills=(Hill(40, 80, 30, 26, 12), Hill(-52, 84, 30, 26, 11), Hill(-10, 130, 60, 36, 18, False)),
    things=(
        Thing("house", -13.5, 21, (8, 6, 3.1, 2.0), 30, 0), Thing("house", -24, 50, (9, 7, 3.2, 2.0), 20, 3),
        Thing("bamboo", 12.2, 21, (7.0,)), Thing("bamboo", 13.6, 30, (8.0,)),
        Thing("bamboo", 4.4, 36, (8.0,)),
        Thing("tree", -6.2, 27.2, (6.0,)), Thing("tree", -17, 31, (7.2,)),
        Thing("banana", -8.6, 17.4, (3.2,)),
        Thing("banana", 3.6, 22, (2.6,)), Thing("palm", -8.4, 23.5, (7.4,)), Thing("palm", -18, 25, (8.0,)),
        Thing("pole", -4.8, 16.5, (6.6,), look=1), Thing("pole", -10.6, 34, (7.2,)),
        Thing("fence", -7.9, 16.2, (4.0, 1.1), 8),
        Thing("bush", 3.6, 12.5, (1.0,)), Thing("bush", 3.9, 17, (1.3,)), Thing("bush", 10.4, 13.5, (1.4,)),
        *_row("bush", (3.9, 22), (6.5, 44), 8, 1.4), *_row("bush", (11, 24), (14, 50), 8, 1.5),
        *_row("tree", (-50, 62), (40, 66), 14, 8.5),
        *_row("tuft", (0.8, 7), (3.6, 15), 9, 0.36), *_row("tuft", (-6, 7), (-4, 12), 6, 0.34),
    ),
    sun_deg=40,
    lamp=(-3.4, 6.2, 16.4),
)  # fmt: skip

_SAN_BONG = Scene(
    "san-bong", "Sân bóng", Optics(5.6, 14, 74), ("dusk", "lamp", "stands"),
    bands=(Band(((-40, 8.4), (-8, 8.2), (8, 8.5), (40, 8.2)), 2.6, "dirt"),),
    routes=(
        Route(((-10.5, 8.4), (0, 8.3), (10.5, 8.3)), ROLLING),
        Route(((-18, 19), (-6, 17.5), (5, 18.5), (18, 16)), ON_FOOT, (0.45, 0.65)),
        Route(((-25, 31), (-6, 27), (9, 24), (24, 27)), ("person",), (0.5,)),
        Route(((15, 13.5), (6, 15.5), (-3, 13), (-9, 8), (-9, 4)), ON_FOOT, (0.4,)),
    ),
    patches=(Patch("pitch", -24, 10.8, 24, 42),),
    hills=(Hill(-48, 88, 34, 24, 13), Hill(50, 92, 34, 24, 12), Hill(6, 130, 60, 30, 16, False)),
    things=(
        Thing("goal", -1, 40, (6.0, 2.3)), Thing("pole", 8.6, 21, (6.8,), look=1),
        Thing("pole", -16, 39, (7.4,)),
        Thing("house", 22, 46, (10, 7, 3.3, 2.2), -18, 1), Thing("house", -26, 48, (10, 7, 3.3, 2.2), 16, 4),
        Thing("fence", -9, 43.5, (13, 1.2)), Thing("fence", 9, 43.5, (14, 1.2)),
        Thing("tree", -20, 40, (7.6,)), Thing("tree", 15.5, 42, (7.0,)), Thing("tree", 28, 38, (7.5,)),
        Thing("palm", 11.5, 45, (8.6,)), Thing("palm", -14, 45.5, (8.2,)),
        Thing("banana", 18.5, 39.5, (3.2,)),
        Thing("stack", -12.6, 34.5, (3.2, 3.1)), Thing("bush", 12, 23, (1.1,)),
        *_row("bamboo", (-34, 56), (36, 57), 9, 9.0), *_row("tuft", (-9, 6.9), (9, 6.9), 9, 0.3),
        *_row("tuft", (-12, 11), (12, 10.6), 10, 0.28),
    ),
    sun_deg=-70,
    clip_s=52,
    lamp=(9.9, 6.5, 20.9),
)  # fmt: skip

_LOI_VAO_XOM = Scene(
    "loi-vao-xom", "Lối vào xóm trên", Optics(4.0, 13, 72), ("night", "insect", "headlights"),
    bands=(Band(((0.4, -2), (0.2, 8), (0, 18), (-2, 28), (-10, 38), (-30, 46), (-70, 54)), 3.0),),
    routes=(
        Route(((-44, 49), (-30, 46), (-10, 38), (-2, 28), (0, 18), (0.2, 8), (0.3, 2.4)), ("motorbike",)),
        Route(((-20, 22.8), (-9, 22.6), (-1.5, 22), (0, 17), (0.2, 8), (0.3, 2.4)), (*ON_FOOT, "bicycle"),
              (0.55,)),
        Route(((13, 15.2), (6, 15.4), (1, 14), (0.2, 8), (0.3, 2.4)), (*ON_FOOT,), (0.4,)),
    ),
    patches=(Patch("dirt", -16, 21, 0, 24), Patch("dirt", 1.5, 14, 14, 17), Patch("tea", 5, 36, 40, 60, 20)),
    hills=(Hill(-40, 74, 26, 20, 9),),
    things=(
        Thing("wall", -2.9, 13.5, (14, 1.7, 0.22), -90), Thing("wall", 3.2, 10.2, (7, 1.5, 0.22), 90, 1),
        Thing("wall", 3.0, 21, (7, 1.5, 0.22), 90, 1), Thing("wall", -8.0, 20.5, (10, 1.6, 0.22)),
        Thing("house", -9.5, 16, (7, 6, 3.3, 2.1), -90, 1), Thing("house", 9.5, 22, (8, 7, 3.4, 2.2), 90, 0),
        Thing("house", -9.5, 29.5, (8, 6, 3.2, 2.0), -24, 3), Thing("house", 6.8, 34, (8, 6, 3.2, 2.0),
        12, 4),
        Thing("palm", -4.6, 19.2, (6.6,)), Thing("palm", 5.0, 19, (7.0,)), Thing("banana", 4.8, 12.6, (2.9,)),
        Thing("tree", -5.6, 25.6, (5.6,)), Thing("tree", 3.8, 28, (5.6,)), Thing("pole", 2.5, 18.2, (6.8,)),
        Thing("pole", -2.6, 34, (6.8,)), Thing("bush", 2.6, 24.2, (1.0,)), Thing("fence", -5, 24.4, (5, 1.1)),
        *_row("tree", (-40, 58), (30, 60), 10, 8.0), *_row("tuft", (-2.4, 7), (-2.4, 14), 5, 0.3),
    ),
)  # fmt: skip

_CAU_KHE_COC = Scene(
    "cau-khe-coc", "Cầu Khe Cốc", Optics(4.8, 13, 72), ("day", "clouds"),
    bands=(
        Band(((0, -2), (0, 10), (0, 22), (1.5, 34), (10, 48), (30, 58), (70, 68)), 3.4),
        Band(((-90, 20), (-30, 17), (-10, 16.4), (10, 16), (30, 18), (90, 15)), 6.0, "stream"),
    ),
    routes=(
        Route(((46, 62), (30, 58), (10, 48), (1.5, 34), (0, 22), (0, 10), (0, 2.5)), ROLLING),
        Route(
            ((10, 10.2), (4, 10), (0.3, 11), (0, 16), (0, 21.5), (-5, 25), (-13, 27), (-24, 28)),
            ("buffalo", "person"),
        ),
        Route(((-11, 10.4), (-5, 10), (-0.5, 10.8), (0, 16), (0.4, 21), (8, 24.4), (21, 25.4)),
              (*ON_FOOT, "bicycle"), (0.5,)),
    ),
    patches=(
        Patch("paddy", -60, 29.5, -3, 52), Patch("dirt", -28, 23.5, 26, 28.5),
        Patch("dirt", -12, 9, 12, 11.4),
        Patch("tea", 6, 30, 40, 40, 6),
    ),
    hills=(Hill(36, 80, 30, 22, 12), Hill(-40, 90, 34, 24, 10), Hill(0, 130, 60, 30, 16, False)),
    things=(
        Thing("rail", -1.9, 16.2, (9.0, 0.95), 90), Thing("rail", 1.9, 16.2, (9.0, 0.95), 90),
        Thing("deck", -1.75, 16.2, (8.0, 1.1), 90), Thing("deck", 1.75, 16.2, (8.0, 1.1), 90),
        Thing("bamboo", -9.5, 21.6, (6.5,)), Thing("bamboo", 13, 21.8, (7.0,)),
        Thing("bamboo", -17, 22.6, (7.4,)),
        Thing("tree", 5.4, 29.6, (5.6,)), Thing("palm", 8.2, 29.4, (7.4,)), Thing("palm", 9.4, 30, (6.6,)),
        Thing("house", -18, 57, (10, 7, 3.2, 2.1), 12, 0), Thing("house", 16, 44, (9, 7, 3.2, 2.1), -16, 2),
        Thing("tree", -26, 54, (7.6,)), Thing("pole", 3.6, 23, (7.4,)), Thing("pole", 5.6, 42, (7.4,)),
        Thing("bush", -3.4, 20.6, (1.1,)), Thing("bush", 3.4, 11.9, (0.9,)), Thing("bush", 6.4, 20.8, (1.3,)),
        Thing("bush", -6.4, 12.0, (1.0,)), Thing("stack", -12, 52, (3.2, 3.0)),
        Thing("banana", 10.6, 21.4, (3.0,)),
        *_row("tree", (-46, 66), (4, 68), 10, 8.0), *_row("tree", (24, 70), (60, 72), 6, 8.0),
        *_row("tuft", (-9, 11.6), (-2, 11.4), 7, 0.42), *_row("tuft", (2, 11.4), (9, 11.6), 7, 0.4),
        *_row("tuft", (-6, 7.4), (-2.4, 8), 4, 0.32), *_row("tuft", (2.4, 7.2), (6, 8), 4, 0.32),
    ),
    sun_deg=140,
    clip_s=64,
)  # fmt: skip

SCENES: dict[str, Scene] = {
    scene.id: scene
    for scene in (_CONG_LANG, _NHA_VAN_HOA, _NGA_BA, _DUONG_SUOI, _SAN_BONG, _LOI_VAO_XOM, _CAU_KHE_COC)
}
"""All scenes by their id, in the order in which they are rendered."""
