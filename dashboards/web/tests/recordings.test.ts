import { describe, expect, test } from "vitest";
import type { Recordings } from "../src/api/types";
import { lookbackHref, nextAfter, placed, scaled, shifted, stretches, ticks } from "../src/lib/recordings";

const HOUR = 3_600_000;
const START = Date.parse("2026-11-24T17:00:00Z");
const DAY = { from: START, to: START + 24 * HOUR };
const iso = (hour: number) => new Date(START + hour * HOUR).toISOString();

function recordings(...streams: ["main" | "sub", [number, number][]][]): Recordings {
  return {
    until: iso(24),
    oldest: null,
    first: "main",
    streams: streams.map(([stream, spans]) => ({
      stream,
      kbit_s: 100,
      share: 0.5,
      spans: spans.map(([from, to]) => ({ start: iso(from), end: iso(to), codec: "h264", width: 640, height: 360 })),
    })),
  };
}

describe("what is recorded", () => {
  const found = recordings(["main", [[1, 2], [4, 5]]], ["sub", [[1.5, 3], [6, 7]]]);

  test("of one stream, or of all joined", () => {
    expect(stretches(found, "sub")).toEqual([
      { from: START + 1.5 * HOUR, to: START + 3 * HOUR },
      { from: START + 6 * HOUR, to: START + 7 * HOUR },
    ]);
    expect(stretches(found).map(({ from, to }) => [(from - START) / HOUR, (to - START) / HOUR])).toEqual([[1, 3], [4, 5], [6, 7]]);
  });

  test("where it goes on", () => {
    const all = stretches(found);
    expect(nextAfter(all, START + 3.5 * HOUR)).toBe(START + 4 * HOUR);
    expect(nextAfter(all, START + 8 * HOUR)).toBeNull();
  });
});

describe("the line", () => {
  const sight = { from: START + 6 * HOUR, to: START + 12 * HOUR };

  test("a stretch lies where it is seen, cut at the edges", () => {
    expect(placed({ from: START, to: START + 9 * HOUR }, sight)).toEqual({ left: 0, width: 0.5 });
    expect(placed({ from: START, to: START + 6 * HOUR }, sight)).toBeNull();
  });

  test("zooming keeps what is under the finger, and stays within the day", () => {
    const closer = scaled(sight, DAY, HOUR, START + 9 * HOUR);
    expect(closer).toEqual({ from: START + 8.5 * HOUR, to: START + 9.5 * HOUR });
    expect(scaled(sight, DAY, 100 * HOUR, START + 9 * HOUR)).toEqual(DAY);
    expect(shifted(sight, DAY, -20 * HOUR)).toEqual({ from: START, to: START + 6 * HOUR });
  });

  test("its marks are round times, and not too many", () => {
    const whole = ticks(DAY, DAY, 5);
    expect(whole.map((at) => (at - START) / HOUR)).toEqual([0, 6, 12, 18, 24]);
    const minutes = ticks({ from: START + 90_000, to: START + 11 * 60_000 }, DAY, 5);
    expect(minutes.map((at) => (at - START) / 60_000)).toEqual([2, 4, 6, 8, 10]);
  });
});

test("the page's address", () => {
  expect(lookbackHref("khe-coc.cong-lang")).toBe("/cameras/khe-coc.cong-lang/lookback");
  expect(lookbackHref("a.b", START)).toBe("/cameras/a.b/lookback?at=2026-11-24T17:00:00.000Z");
});
