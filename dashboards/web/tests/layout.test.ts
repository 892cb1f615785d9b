/** The wall's tiles are as large as the screen lets them be, and never larger than it. */
import { expect, it } from "vitest";
import { COUNTS, gridOf, usualCount, usualRatio } from "../src/lib/layout";

const GAP = 10;
const area = (width: number, height: number) => ({ width, height });

it.each([
  [1280, 590],
  [1872, 950],
  [3392, 1300], // 21:9
  [900, 1500], // a screen on its side
])("fills %d x %d without going over it, whatever is shown", (width, height) => {
  for (const tiles of [...COUNTS, 2, 3, 7]) {
    const { columns, tile, fits } = gridOf(tiles, 16 / 9, area(width, height), GAP);
    const rows = Math.ceil(tiles / columns);
    expect(fits).toBe(true);
    expect(columns * tile + (columns - 1) * GAP).toBeLessThanOrEqual(width);
    expect((rows * tile * 9) / 16 + (rows - 1) * GAP).toBeLessThanOrEqual(height);
    for (let other = 1; other <= tiles; other += 1) {
      const across = (width - GAP * (other - 1)) / other;
      const down = (height - GAP * (Math.ceil(tiles / other) - 1)) / Math.ceil(tiles / other);
      expect(tile + 1).toBeGreaterThan(Math.min(across, (down * 16) / 9));
    }
  }
});

it("a phone scrolls, at a useful width; in full screen everything is in sight", () => {
  expect(gridOf(4, 16 / 9, area(336, 500), GAP)).toEqual({ columns: 1, tile: 336, fits: false });
  expect(gridOf(9, 16 / 9, area(336, 500), GAP)).toEqual({ columns: 2, tile: 163, fits: false });
  expect(gridOf(9, 16 / 9, area(692, 200), GAP)).toMatchObject({ columns: 3, fits: false });
  expect(gridOf(1, 16 / 9, area(692, 200), GAP)).toEqual({ columns: 1, tile: 355, fits: true });
  expect(gridOf(1, 16 / 9, area(692, -20), GAP)).toEqual({ columns: 1, tile: 692, fits: false });
  const { columns, tile, fits } = gridOf(9, 16 / 9, area(360, 740), 4, true);
  expect([columns, tile, fits]).toEqual([2, 178, true]);
});

it("shows all cameras unless that makes them too small", () => {
  const usual = (width: number) => [0, 1, 2, 4, 5, 9, 10, 40].map((cameras) => usualCount(cameras, width));
  expect(usual(1232)).toEqual([1, 1, 4, 4, 9, 9, 16, 16]);
  expect(usual(336)).toEqual([1, 1, 4, 4, 9, 9, 9, 9]);
});

it("tiles are of the shape that most pictures have", () => {
  const wide = { width: 640, height: 360 };
  const old = { width: 704, height: 576 };
  expect(usualRatio([])).toBe(16 / 9);
  expect(usualRatio([{ width: 0, height: 0 }, old])).toBe(704 / 576);
  expect(usualRatio([wide, old, wide])).toBe(16 / 9);
  expect(usualRatio([{ width: 360, height: 640 }])).toBe(1);
});
