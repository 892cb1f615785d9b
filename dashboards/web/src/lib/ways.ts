/** In which ways a camera can be watched, best first. */
import * as api from "../api/client";
import type { Camera, StreamName } from "../api/types";
import type { Way } from "./connection";
import { watchByMse } from "./mse";
import { watchPictures } from "./pictures";
import { watch } from "./whep";

/** `many` views at once take the way that costs the server and the browser least; one takes that of the least delay. */
export function waysTo(camera: Camera, stream: StreamName, height: number, many: boolean): Way[] {
  const kinds: readonly (keyof typeof by)[] = many ? ["mse", "webrtc"] : ["webrtc", "mse"];
  const others = camera.streams.map((other) => other.stream).filter((other) => other !== stream);
  // A wall never takes the large stream in place of the small one.
  const streams = many ? [stream] : [stream, ...others];
  const ways = streams.flatMap((of) => kinds.map((kind) => ({ kind, stream: of, connect: by[kind](camera.id, of) })));
  // It costs the server so much that a wall, whose tiles are many, has stills instead.
  const transcoded = many
    ? []
    : kinds.map((kind) => ({ kind, stream, transcoded: true, connect: by[kind](camera.id, stream, true) }));
  const connect = (signal: AbortSignal) => watchPictures(camera.id, height, signal);
  return [...ways, ...transcoded, { kind: "pictures", stream, connect }];
}

const by = {
  webrtc:
    (camera: string, stream: StreamName, transcoded = false) =>
    (signal: AbortSignal) =>
      watch(api.whepUrl(camera, stream, transcoded), signal),
  mse:
    (camera: string, stream: StreamName, transcoded = false) =>
    (signal: AbortSignal) =>
      watchByMse(api.liveUrl(camera, stream, transcoded), signal),
};
