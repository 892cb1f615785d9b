/** What a camera's switches say: what is done, what is wanted, and what became of that. */
import type { Camera, Switched, Wanted } from "../api/types";

export const SWITCHED: readonly Switched[] = ["detect", "record"];

/** A worker's name for the server of its own machine. */
const OWN_SERVER = "this machine";

export interface SwitchNow {
  /** Whether it is on; null where nobody knows. */
  on: boolean | null;
  /** What is wanted here; undefined where it is left to the hamlet and nothing is to be said. */
  wish: Wanted | undefined;
  /** Whether what is wanted is still to be done. */
  pending: boolean;
}

export function switchNow(camera: Camera, key: Switched): SwitchNow {
  const told = key === "detect" ? camera.detects : camera.records;
  const wish = camera.wanted.find((one) => one.key === key);
  const pending = wish?.state === "waiting" || wish?.state === "away";
  return { on: pending ? (wish?.on ?? told) : told, wish, pending };
}

/** Which of the two are off, as far as is known. */
export const switchedOff = (camera: Camera): Switched[] =>
  SWITCHED.filter((key) => (key === "detect" ? camera.detects : camera.records) === false);

/** The other server's name for people; empty for the hamlet's own. */
export const otherServer = (wish: Wanted): string => (wish.detail === OWN_SERVER ? "" : wish.detail);
