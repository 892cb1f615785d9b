/** The events just before and just after one, under the same filters. */
import { type EventQuery, events } from "../api/client";
import type { HubEvent } from "../api/types";

export interface Neighbours {
  older: HubEvent | null;
  newer: HubEvent | null;
}

const MINUTE_MS = 60_000;
/** The API lists the newest first, so the next newer one is looked for in windows that widen from the event on. */
const WINDOWS_MS = [10 * MINUTE_MS, 4 * 60 * MINUTE_MS, 3 * 1_440 * MINUTE_MS, 60 * 1_440 * MINUTE_MS];
const LIMIT = 100;
const PAGES = 20;

export async function neighbours(
  of: HubEvent,
  query: EventQuery,
  signal: AbortSignal,
  list: typeof events = events,
): Promise<Neighbours> {
  const [older, newer] = await Promise.all([findOlder(of, query, signal, list), findNewer(of, query, signal, list)]);
  return { older, newer };
}

async function findOlder(of: HubEvent, query: EventQuery, signal: AbortSignal, list: typeof events) {
  // One more than needed: the server may count the bound itself in.
  const page = await list({ ...query, before: of.start, limit: 2 }, signal);
  return page.events.find((event) => event.id !== of.id && event.start <= of.start) ?? null;
}

async function findNewer(of: HubEvent, query: EventQuery, signal: AbortSignal, list: typeof events) {
  const start = Date.parse(of.start);
  for (const window of WINDOWS_MS) {
    const before = new Date(start + window).toISOString();
    const found = await nearest(of, { ...query, after: of.start, before, limit: LIMIT }, signal, list);
    if (found) return found;
    if (start + window > Date.now()) break;
  }
  return null;
}

/** The last event of a listing that is newest first. */
async function nearest(of: HubEvent, query: EventQuery, signal: AbortSignal, list: typeof events) {
  let last: HubEvent | null = null;
  let cursor: string | null = null;
  for (let page = 0; page < PAGES; page += 1) {
    const answer = await list(cursor ? { ...query, cursor } : query, signal);
    last = answer.events.filter((event) => event.id !== of.id && event.start >= of.start).at(-1) ?? last;
    cursor = answer.next;
    if (!cursor) break;
  }
  return last;
}
