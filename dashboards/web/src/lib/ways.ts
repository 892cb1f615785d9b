/** In which ways a camera can be watched, best first. */
import * as api from "../api/client";
import type { Camera, StreamName } from "../api/types";
import type { Way } from "./connection";
import { watchByMse } from "./mse";
import { watchPictures } from "./pictures";
import { watch } from "./whep";

/**
 * `many` views at once take the way that costs the server and the browser least; one takes that of the least delay.
 * `sound` comes by MSE alone.
 */
export function waysTo(camera: Camera, stream: StreamName, height: number, many: boolean, sound = false): Way[] {
  const kinds: readonly (keyof typeof by)[] = many ? ["mse", "webrtc"] : ["webrtc", "mse"];
  const others = camera.streams.map((other) => other.stream).filter((other) => other !== stream);
  // A wall never takes the large stream in place of the small one.
  const streams = many ? [stream] : [stream, ...others];
  const ways = streams.flatMap((of) => kinds.map((kind) => ({ kind, stream: of, connect: by[kind](camera.id, of) })));
  // It costs the server so much that a wall, whose tiles are many, has stills instead.
  const transcoded = many
    ? []
    : kinds.map((kind) => ({ kind, stream, transcoded: true, connect: by[kind](camera.id, stream, true) }));
  const heard = sound ? streams.map((of) => withSound(camera.id, of)) : [];
  const connect = (signal: AbortSignal) => watchPictures(camera.id, height, signal);
  return [...heard, ...ways, ...transcoded, { kind: "pictures", stream, connect }];
}

const withSound = (camera: string, stream: StreamName): Way => ({
  kind: "mse",
  stream,
  sound: true,
  connect: (signal) => watchByMse(api.soundUrl(camera, stream), signal),
});

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
