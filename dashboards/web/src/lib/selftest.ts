/** Answers "why do I see no video?": tries each way by itself, as the player would, and says what it found. */
import * as api from "../api/client";
import type { Camera, NotLive, StreamName } from "../api/types";
import { type Connection, Unusable } from "./connection";
import { iceServers, isRelay } from "./ice";
import { mimeOf, sourceClass, watchByMse } from "./mse";
import { watch } from "./whep";

/** `fine`; no `path` through the network; the `browser` or the stream cannot; the `camera` or the server has nothing now. */
export type Found = "fine" | "path" | "browser" | "camera" | "server";

export interface Trial {
  found: Found;
  /** Why there is nothing, where the server said so. */
  code: NotLive | null;
  /** From the try's beginning to the first picture, ms; null where none came. */
  tookMs: number | null;
}

export interface Abilities {
  webrtc: boolean;
  mse: boolean;
  h265: boolean;
}

const FIRST_MS = 6_000;
const LOOK_MS = 100;

/** What this browser can, by its own word. */
export function abilities(): Abilities {
  const Source = sourceClass();
  const codecs = globalThis.RTCRtpReceiver?.getCapabilities?.("video")?.codecs ?? [];
  return {
    webrtc: codecs.some((codec) => codec.mimeType.toLowerCase() === "video/h264"),
    mse: Source?.isTypeSupported(mimeOf("avc1.42e01f")) ?? false,
    h265: Source?.isTypeSupported(mimeOf("hvc1.1.6.L93.B0")) ?? false,
  };
}

export function tryWebrtc(camera: Camera, stream: StreamName, signal: AbortSignal): Promise<Trial> {
  return trial((until) => watch(api.whepUrl(camera.id, stream), until), signal);
}

export function tryMse(camera: Camera, stream: StreamName, signal: AbortSignal): Promise<Trial> {
  return trial((until) => watchByMse(api.liveUrl(camera.id, stream), until), signal);
}

/** Of the relay (TURN): `none` is configured; it does not answer (`away`), or not to us (`refused`); it leads nowhere; `fine`. */
export interface RelayTrial {
  found: "none" | "away" | "refused" | "nowhere" | "fine";
  tookMs: number | null;
}

/** Whether a relay is configured, is reached, and whether the picture comes through it alone. */
export async function tryRelay(camera: Camera, stream: StreamName, signal: AbortSignal): Promise<RelayTrial> {
  const url = api.whepUrl(camera.id, stream);
  iceServers.learn((await api.request(url, { method: "OPTIONS", signal })).headers);
  const relays = iceServers.good.filter(isRelay);
  if (!relays.length || !globalThis.RTCPeerConnection) return { found: "none", tookMs: null };
  const found = await reached(relays, signal);
  if (found !== "fine") return { found, tookMs: null };
  const through = await trial((until) => watch(url, until, "relay"), signal);
  return through.found === "path" ? { found: "nowhere", tookMs: null } : { found: "fine", tookMs: through.tookMs };
}

/** Until a relay gives us an address of its own. */
async function reached(relays: RTCIceServer[], signal: AbortSignal): Promise<"fine" | "away" | "refused"> {
  const peer = new RTCPeerConnection({ iceServers: relays, iceTransportPolicy: "relay" });
  let refused = false;
  try {
    return await new Promise((resolve) => {
      const none = () => resolve(refused ? "refused" : "away");
      peer.onicecandidate = ({ candidate }) => (candidate?.candidate ? resolve("fine") : candidate || none());
      // 401 and 441: the credentials; 701: it was not reached.
      peer.onicecandidateerror = ({ errorCode }) => (refused ||= errorCode >= 400 && errorCode < 500);
      setTimeout(none, FIRST_MS);
      signal.addEventListener("abort", none);
      peer.createDataChannel("");
      peer.setLocalDescription().catch(none);
    });
  } finally {
    peer.close();
  }
}

export async function tryStill(camera: Camera, signal: AbortSignal): Promise<Trial> {
  const began = performance.now();
  try {
    (await api.still(camera.id, 180, signal)).picture.close();
    return { found: "fine", code: null, tookMs: performance.now() - began };
  } catch (error) {
    return { ...meant(error), tookMs: null };
  }
}

/** Until the first picture, in a video element that nobody sees. */
async function trial(connect: (signal: AbortSignal) => Promise<Connection>, signal: AbortSignal): Promise<Trial> {
  const began = performance.now();
  let connection: Connection | null = null;
  try {
    connection = await connect(signal);
    const screen = document.createElement("video");
    screen.muted = screen.playsInline = true;
    connection.attach(screen, () => undefined);
    while (performance.now() - began < FIRST_MS && !signal.aborted && !connection.ended) {
      if ((await connection.frames()) > 0) return { found: "fine", code: null, tookMs: performance.now() - began };
      if (connection.paused !== null) return { found: "camera", code: "no-picture", tookMs: null };
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return { found: connection.ended ? "browser" : "path", code: null, tookMs: null };
  } catch (error) {
    return { ...meant(error), tookMs: null };
  } finally {
    connection?.close();
  }
}

function meant(error: unknown): { found: Found; code: NotLive | null } {
  if (error instanceof Unusable) return { found: error.why === "path" ? "path" : "browser", code: null };
  if (!(error instanceof api.ApiError) || error.status === 0) return { found: "server", code: null };
  const code = error.code as NotLive | null;
  return { found: code === "codec" || code === "b-frames" ? "browser" : "camera", code };
}

export type Answer = "all" | "mse" | "order" | "webrtc" | "stills" | "none" | "stream";

/** What follows from the trials, for one sentence. */
export function answer(webrtc: Trial, mse: Trial, still: Trial): Answer {
  if (webrtc.found === "fine" && mse.found === "fine") return "all";
  if (mse.found === "fine") return webrtc.found === "browser" ? "order" : "mse";
  if (webrtc.found === "fine") return "webrtc";
  if (still.found !== "fine") return "none";
  return mse.found === "browser" ? "stream" : "stills";
}
