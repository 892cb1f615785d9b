/** The steps from event to event reach the nearest one, however far it is. */
import { expect, it } from "vitest";
import type { EventQuery } from "../src/api/client";
import type { EventPage } from "../src/api/types";
import { matches } from "../src/lib/events";
import { neighbours } from "../src/lib/neighbours";
import { event } from "./support";

const start = Date.parse("2026-11-20T00:00:00Z");
const all = [0, 1, 2, 300, 301].map((minute) =>
  event({ id: `e${minute}`, start: new Date(start + minute * 60_000).toISOString() }),
).reverse();

/** A server that gives two events a page. */
async function list(query: EventQuery): Promise<EventPage> {
  const found = all.filter((one) => matches(one, query));
  const from = Number(query.cursor ?? 0);
  return { events: found.slice(from, from + 2), next: from + 2 < found.length ? String(from + 2) : null };
}

async function around(id: string, query: EventQuery = {}): Promise<[string | undefined, string | undefined]> {
  const of = all.find((one) => one.id === id) ?? event();
  const { older, newer } = await neighbours(of, query, new AbortController().signal, list);
  return [older?.id, newer?.id];
}

it("finds the one before and the one after", async () => {
  expect(await around("e1")).toEqual(["e0", "e2"]);
});

it("finds the nearest over a long silence", async () => {
  expect(await around("e2")).toEqual(["e1", "e300"]);
});

it("says where there is none", async () => {
  expect(await around("e0")).toEqual([undefined, "e1"]);
  expect(await around("e301")).toEqual(["e300", undefined]);
});

it("keeps to the filters", async () => {
  expect(await around("e1", { camera: "khe-coc.other" })).toEqual([undefined, undefined]);
});
