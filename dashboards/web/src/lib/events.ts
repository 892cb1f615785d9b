/** Lists of events, newest first, kept in order as new ones and new revisions of old ones arrive. */
import type { EventQuery } from "../api/client";
import type { HubEvent } from "../api/types";

/** The list with `event` put in its place; an earlier telling of the same event is replaced. */
export function withEvent(list: readonly HubEvent[], event: HubEvent): HubEvent[] {
  const at = list.findIndex((other) => other.id === event.id);
  if (at >= 0) return list.map((other, i) => (i === at ? event : other));
  return withEvents(list, [event]);
}

/** Two lists as one: each event once, `newer` tellings win. */
export function withEvents(list: readonly HubEvent[], newer: readonly HubEvent[]): HubEvent[] {
  const all = new Map(list.map((event) => [event.id, event]));
  for (const event of newer) all.set(event.id, event);
  return [...all.values()].sort(byStart);
}

function byStart(a: HubEvent, b: HubEvent): number {
  return Date.parse(b.start) - Date.parse(a.start) || (a.id < b.id ? 1 : -1);
}

/** Whether the server would have given this event for the query. */
export function matches(event: HubEvent, query: EventQuery): boolean {
  const start = Date.parse(event.start);
  return (
    (query.site === undefined || event.site === query.site) &&
    (query.camera === undefined || event.camera === query.camera) &&
    (query.kind === undefined || event.kind === query.kind) &&
    (query.zone === undefined || event.zones.includes(query.zone)) &&
    (query.after === undefined || start >= Date.parse(query.after)) &&
    (query.before === undefined || start < Date.parse(query.before))
  );
}

export interface Day {
  key: string;
  events: HubEvent[];
}

/** The list cut into calendar days, in its own order. */
export function byDay(list: readonly HubEvent[], dayKey: (at: string) => string): Day[] {
  const days: Day[] = [];
  for (const event of list) {
    const key = dayKey(event.start);
    const last = days.at(-1);
    if (last?.key === key) last.events.push(event);
    else days.push({ key, events: [event] });
  }
  return days;
}
