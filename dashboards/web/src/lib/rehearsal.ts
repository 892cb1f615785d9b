/** The site of rehearsals: clips that somebody plays to the hub. Nothing of it is happening now. */
import type { Camera } from "../api/types";

export const REHEARSAL = "rehearsal";

/** The cameras to watch: those of a rehearsal only while it goes on. */
export function toWatch(cameras: readonly Camera[]): Camera[] {
  return cameras.filter((camera) => camera.site !== REHEARSAL || camera.state !== "away");
}
