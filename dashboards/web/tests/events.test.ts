/** Lists of events stay in order and complete, whatever arrives in whatever order. */
import { describe, expect, it } from "vitest";
import { byDay, matches, withEvent, withEvents } from "../src/lib/events";
import { readFilters, toQuery, writeFilters } from "../src/lib/filters";
import { event } from "./support";

const at = (minute: number, change = {}) =>
  event({ id: `e${minute}`, start: `2026-11-25T07:${String(minute).padStart(2, "0")}:00Z`, ...change });
const ids = (list: { id: string }[]) => list.map(({ id }) => id);

describe("withEvent", () => {
  it("puts a late one in its place", () => {
    expect(ids(withEvent([at(9), at(3)], at(5)))).toEqual(["e9", "e5", "e3"]);
  });

  it("replaces an earlier telling where it stands", () => {
    const list = withEvent([at(9), at(5, { end: null }), at(3)], at(5));
    expect(ids(list)).toEqual(["e9", "e5", "e3"]);
    expect(list[1]?.end).not.toBeNull();
  });
});

it("withEvents has each event once, in its newer telling", () => {
  const list = withEvents([at(5, { clip: false }), at(3)], [at(9), at(5)]);
  expect(ids(list)).toEqual(["e9", "e5", "e3"]);
  expect(list[1]?.clip).toBe(true);
});

it("matches as the server does", () => {
  expect(matches(at(5), {})).toBe(true);
  expect(matches(at(5), { camera: "khe-coc.cong-lang", zone: "Lòng đường", kind: "motion", site: "khe-coc" })).toBe(true);
  expect(matches(at(5), { zone: "Sân" })).toBe(false);
  expect(matches(at(5), { kind: "tamper" })).toBe(false);
  expect(matches(at(5), { after: "2026-11-25T07:05:00Z" })).toBe(true);
  expect(matches(at(5), { before: "2026-11-25T07:05:00Z" })).toBe(false);
});

it("byDay cuts the list at the reader's midnight", () => {
  const days = byDay([at(9), at(5), event({ id: "old", start: "2026-11-24T07:00:00Z" })], (start) => start.slice(0, 10));
  expect(days.map((day) => [day.key, ids(day.events)])).toEqual([
    ["2026-11-25", ["e9", "e5"]],
    ["2026-11-24", ["old"]],
  ]);
});

describe("filters", () => {
  it("survive the address bar", () => {
    const filters = { camera: "khe-coc.cong-lang", zone: "Lòng đường & lề", kind: "motion", day: "2026-11-25" };
    expect(readFilters(new URLSearchParams(writeFilters(filters).toString()))).toEqual(filters);
    expect(writeFilters(readFilters(new URLSearchParams("x=1"))).toString()).toBe("");
  });

  it("ask the server only for what it knows", () => {
    expect(toQuery({ camera: "", zone: "", kind: "ghost", day: "soon" })).toEqual({});
    const query = toQuery({ camera: "a.b", zone: "", kind: "tamper", day: "2026-11-25" });
    expect(Object.keys(query).sort()).toEqual(["after", "before", "camera", "kind"]);
  });
});
