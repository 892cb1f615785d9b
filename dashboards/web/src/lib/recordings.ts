/** Where on a day's time line something is recorded, and where it goes on. Times are ms since 1970. Pure. */
import type { Recordings, StreamName } from "../api/types";

/** The page to look back at a camera, at an instant in ms since 1970 or at what is newest. */
export function lookbackHref(camera: string, at?: number): string {
  const query = at === undefined ? "" : `?at=${new Date(at).toISOString()}`;
  return `/cameras/${encodeURIComponent(camera)}/lookback${query}`;
}

export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** The times that one stream has, in their order; those of all streams joined where none is named. */
export function stretches(found: Recordings, stream?: StreamName): Stretch[] {
  const all = found.streams
    .filter((one) => stream === undefined || one.stream === stream)
    .flatMap((one) => one.spans.map((span) => ({ from: Date.parse(span.start), to: Date.parse(span.end) })))
    .sort((a, b) => a.from - b.from);
  const joined: Stretch[] = [];
  for (const one of all) {
    const last = joined.at(-1);
    if (last && one.from <= last.to) joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, one.to) };
    else joined.push(one);
  }
  return joined;
}

/** Where recording begins after an instant; null where it does not any more. */
export function nextAfter(recorded: readonly Stretch[], at: number): number | null {
  return recorded.find((one) => one.from > at)?.from ?? null;
}

/** The part of a line that a stretch takes, in fractions of what is in sight; null where it lies outside. */
export function placed(one: Stretch, sight: Stretch): { left: number; width: number } | null {
  const length = sight.to - sight.from;
  const [from, to] = [Math.max(one.from, sight.from), Math.min(one.to, sight.to)];
  return to > from ? { left: (from - sight.from) / length, width: (to - from) / length } : null;
}

/** What is in sight when it becomes `length` long, with an instant kept where it was, within a day. */
export function scaled(sight: Stretch, day: Stretch, length: number, around: number): Stretch {
  const share = (around - sight.from) / (sight.to - sight.from);
  return shifted({ from: around - share * length, to: around + (1 - share) * length }, day, 0);
}

/** What is in sight moved by so much, within a day. */
export function shifted(sight: Stretch, day: Stretch, by: number): Stretch {
  const length = Math.min(sight.to - sight.from, day.to - day.from);
  const from = Math.min(Math.max(sight.from + by, day.from), day.to - length);
  return { from, to: from + length };
}

const STEPS_MIN = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360];

/** Round times of the day between which a line is divided into at most so many parts. */
export function ticks(sight: Stretch, day: Stretch, most: number): number[] {
  const minutes = (sight.to - sight.from) / 60_000;
  const step = (STEPS_MIN.find((one) => minutes / one <= most) ?? 720) * 60_000;
  const found: number[] = [];
  for (let at = day.from + Math.ceil((sight.from - day.from) / step) * step; at <= sight.to; at += step) found.push(at);
  return found;
}
