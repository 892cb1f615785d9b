/** Lines, and who went over them. */
import type { Crossing, Line } from "../api/types";

export interface Crossed {
  first: Crossing;
  times: number;
}

/** Counted by line and side, in the order in which it first happened. */
export function crossed(crossings: readonly Crossing[]): Crossed[] {
  const found = new Map<string, Crossed>();
  for (const crossing of crossings) {
    const key = JSON.stringify([crossing.line, crossing.to]);
    const known = found.get(key);
    if (known) known.times += 1;
    else found.set(key, { first: crossing, times: 1 });
  }
  return [...found.values()];
}

type Place = [number, number];

const ASIDE = 0.09;

/**
 * Where to name a line, and the two sides of it: beside its middle, in fractions of the picture. Left and right are
 * those of one who walks in the picture from the first point to the last.
 */
export function sides(line: Pick<Line, "points">): { middle: Place; left: Place; right: Place } {
  const at = Math.max(0, Math.ceil(line.points.length / 2) - 1);
  const from: Place = line.points[at] ?? [0, 0];
  const to: Place = line.points[at + 1] ?? from;
  const middle: Place = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  const x = to[0] - from[0];
  const y = to[1] - from[1];
  const length = Math.hypot(x, y) || 1;
  // Rows count downward: who walks to the right has their right hand below.
  const aside = (hand: 1 | -1): Place => [middle[0] - (hand * ASIDE * y) / length, middle[1] + (hand * ASIDE * x) / length];
  return { middle, left: aside(-1), right: aside(1) };
}

/** The arrow that leads from one place to the other, as seen in the picture. */
export function arrow(from: Place, to: Place): string {
  const eighths = Math.round((Math.atan2(to[1] - from[1], to[0] - from[0]) / Math.PI) * 4);
  return "→↘↓↙←↖↑↗"[(eighths + 8) % 8] ?? "→";
}
