import { expect, test } from "vitest";
import type { Alert } from "../src/api/types";
import { belongs, boxOf, cameraNames, face, withAlert, withNews, withPage } from "../src/lib/alerts";
import { event } from "./support";

function alert(id: string, changes: Partial<Alert> = {}): Alert {
  return {
    id,
    rule: "nguoi",
    rule_name: "Có người",
    kind: "motion",
    site: "khe-coc",
    urgency: "normal",
    opened: "2026-11-25T14:00:00Z",
    known: "2026-11-25T14:00:00Z",
    last: "2026-11-25T14:00:00Z",
    state: "new",
    owner: null,
    verdict: null,
    version: 1,
    events: [],
    troubles: [],
    ...changes,
  };
}

const AN = { name: "an", display_name: "Thiếu tá An" };

test("each box holds what it says", () => {
  const taken = alert("1", { state: "acknowledged", owner: AN });
  const closed = alert("1", { state: "closed", owner: AN });
  expect([belongs(alert("1"), "open", "an"), belongs(taken, "open", "an"), belongs(closed, "open", "an")]).toEqual([true, true, false]);
  expect([belongs(alert("1"), "new", "an"), belongs(taken, "new", "an")]).toEqual([true, false]);
  expect([belongs(taken, "mine", "an"), belongs(taken, "mine", "binh"), belongs(closed, "mine", "an")]).toEqual([true, false, false]);
  expect([belongs(closed, "closed", "an"), belongs(taken, "closed", "an")]).toEqual([true, false]);
  expect([boxOf("mine"), boxOf("nonsense"), boxOf(null)]).toEqual(["mine", "open", "open"]);
});

test("the newest stands first, and each alert once", () => {
  const older = alert("1", { opened: "2026-11-25T13:00:00Z" });
  const list = withAlert(withAlert([], older, true), alert("2"), true);
  expect(list.map((one) => one.id)).toEqual(["2", "1"]);
  expect(withAlert(list, { ...older, state: "closed" }, false).map((one) => one.id)).toEqual(["2"]);
  expect(withAlert(list, { ...older, version: 2 }, true)).toHaveLength(2);
});

test("an alert shows the newest picture that there is, and takes what its events become", () => {
  const first = event({ id: "a", snapshot: true, camera_name: "Cổng" });
  const second = event({ id: "b", snapshot: false, camera_name: "Cầu" });
  const shown = alert("1", { events: [first, second] });
  expect(face(shown)?.id).toBe("a");
  expect(face(withNews(shown, { ...second, snapshot: true }))?.id).toBe("b");
  expect(withNews(shown, event({ id: "c" }))).toBe(shown);
  expect(cameraNames(alert("1", { events: [first, second, first] }))).toEqual(["Cổng", "Cầu"]);
  expect(face(alert("1"))).toBeUndefined();
});

test("a fresh page joins what was loaded before, and begins anew where they do not meet", () => {
  const at = (id: string, hour: number) => alert(id, { opened: `2026-11-25T${hour}:00:00Z` });
  const shown = [at("4", 14), at("3", 13), at("2", 12), at("1", 11)];
  const ids = (page: Alert[], more: boolean) => {
    const { shown: all, again } = withPage(shown, page, more);
    return [all.map(({ id }) => id).join(""), again];
  };
  // What was closed elsewhere while the link was down is not on the page any more: it goes.
  expect(ids([at("5", 15), at("4", 14), at("2", 12)], true)).toEqual(["5421", false]);
  expect(ids([at("9", 19), at("8", 18)], true)).toEqual(["98", true]);
  expect(ids([at("4", 14)], false)).toEqual(["4", true]);
});
