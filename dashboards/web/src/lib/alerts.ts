/** Lists of alerts, newest first, and what an alert is called and shows. */
import type { Alert, HubEvent } from "../api/types";

/** What an inbox shows. */
export const BOXES = ["open", "new", "mine", "closed"] as const;
export type Box = (typeof BOXES)[number];

export const boxOf = (text: string | null): Box => BOXES.find((box) => box === text) ?? "open";

/** Whether the alert belongs into the box of the user of this name. */
export function belongs(alert: Alert, box: Box, user: string): boolean {
  if (box === "closed") return alert.state === "closed";
  if (alert.state === "closed") return false;
  return box === "open" || (box === "new" ? alert.state === "new" : alert.owner?.name === user);
}

/** The list with `alert` in its place, or without it where it does not belong any more. */
export function withAlert(list: readonly Alert[], alert: Alert, there: boolean): Alert[] {
  const others = list.filter((other) => other.id !== alert.id);
  return there ? [...others, alert].sort(byOpened) : others;
}

/**
 * What is shown, made true by the newest page: below it stays what was loaded before, unless so many are new that
 * the two do not meet any more. `again`: where they did not, the list begins anew.
 */
export function withPage(shown: readonly Alert[], page: readonly Alert[], more: boolean): { shown: Alert[]; again: boolean } {
  const last = page.at(-1);
  const meets = more && last && page.some((alert) => shown.some((other) => other.id === alert.id));
  const older = meets ? shown.filter((other) => other.id !== last.id && byOpened(last, other) < 0) : [];
  return { shown: [...page, ...older], again: older.length === 0 };
}

/** The alert with one of its events as it is now: its picture or clip has come, or somebody judged it. */
export function withNews(alert: Alert, event: HubEvent): Alert {
  if (!alert.events.some((other) => other.id === event.id)) return alert;
  return { ...alert, events: alert.events.map((other) => (other.id === event.id ? event : other)) };
}

function byOpened(a: Alert, b: Alert): number {
  return Date.parse(b.opened) - Date.parse(a.opened) || (a.id < b.id ? 1 : -1);
}

/** The event whose picture stands for the alert: the newest that has one. */
export function face(alert: Alert): HubEvent | undefined {
  return [...alert.events].reverse().find((event) => event.snapshot) ?? alert.events.at(-1);
}

/** The names of its cameras, each once, in the order in which they saw something. */
export function cameraNames(alert: Alert): string[] {
  return [...new Set(alert.events.map((event) => event.camera_name))];
}
