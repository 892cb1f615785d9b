/**
 * Watching a camera by MSE: fragmented MP4 over a WebSocket (docs/live.md), played close behind the live edge.
 * Plays a little faster when it falls behind, jumps when it is far behind or at a gap, and lets go of what was seen.
 */
import { ApiError, version } from "../api/client";
import type { ProblemCode } from "../api/types";
import { type Connection, Unusable } from "./connection";
import { Edge } from "./edge";
import { PictureTimes } from "./taken";

type Told =
  | { type: "opened"; stream: string; codec: string; width: number; height: number; reordered: boolean }
  | { type: "paused"; reason: string }
  | { type: "ended"; reason: string; code: ProblemCode | null }
  | { type: "clock"; sent: number; now_us: number };

const OPEN_MS = 2_500;
const CLOCK_EVERY_MS = 20_000;
const CLOCK_WRONG_MS = 30_000;
/** How much of what was seen stays, s. */
const KEEP_S = 8;
const TRIM_S = 20;

/** What iPhones have in place of MediaSource. */
declare global {
  var ManagedMediaSource: typeof MediaSource | undefined;
}

export const sourceClass = (): typeof MediaSource | undefined =>
  globalThis.ManagedMediaSource ?? globalThis.MediaSource;

export const mimeOf = (codec: string): string => `video/mp4; codecs="${codec}"`;

/** Resolves once the stream is known to be one that this browser plays. */
export function watchByMse(url: string, signal: AbortSignal): Promise<Connection> {
  const Source = sourceClass();
  if (!Source) return Promise.reject(new Unusable("path", "this browser has no Media Source Extensions"));
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    const connection = new MseConnection(socket, Source);
    const finish = (error?: unknown) => {
      clearTimeout(late);
      signal.removeEventListener("abort", aborted);
      if (error === undefined) return resolve(connection);
      connection.close();
      reject(error);
    };
    const aborted = () => finish(signal.reason);
    // A server that is away is no reason to think that WebSockets do not get through.
    const notOpen = () => {
      socket.onclose = null;
      version().then(
        () => finish(new Unusable("path", "the WebSocket does not open")),
        (error: unknown) => finish(error),
      );
    };
    const late = setTimeout(notOpen, OPEN_MS);
    signal.addEventListener("abort", aborted);
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      clearTimeout(late);
    };
    socket.onclose = () => {
      connection.ended = true;
      if (wasOpen) finish(new ApiError(0, ""));
      else notOpen();
    };
    connection.onopened = (codec) => {
      if (Source.isTypeSupported(mimeOf(codec))) finish();
      else finish(new Unusable("stream", `this browser does not play ${codec}`));
    };
    connection.onended = (reason, code) => finish(new ApiError(503, reason, null, code));
    connection.onpaused = () => finish();
    if (signal.aborted) aborted();
  });
}

class MseConnection implements Connection {
  ended = false;
  paused: string | null = null;
  onopened: (codec: string) => void = () => undefined;
  onended: (reason: string, code: ProblemCode | null) => void = () => undefined;
  onpaused: () => void = () => undefined;
  private readonly times = new PictureTimes();
  private readonly edge = new Edge();
  private screen: HTMLVideoElement | null = null;
  private source: MediaSource | null = null;
  private buffer: SourceBuffer | null = null;
  private address = "";
  private codec = "";
  private waiting: ArrayBuffer[] = [];
  private counted = 0;
  private newest = 0;
  private asking: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly socket: WebSocket,
    private readonly Source: typeof MediaSource,
  ) {
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === "string") this.told(JSON.parse(data) as Told);
      else this.take(data);
    };
    socket.addEventListener("open", () => {
      this.ask();
      this.asking = setInterval(this.ask, CLOCK_EVERY_MS);
    });
  }

  get takenMs(): number | null {
    const taken = this.screen && this.times.takenMs(this.screen.currentTime);
    const age = taken === null ? Infinity : Date.now() - taken;
    // Beyond that, it is a clock that is wrong.
    return age > -1_000 && age < CLOCK_WRONG_MS ? taken : null;
  }

  attach(screen: HTMLVideoElement): void {
    this.screen = screen;
    screen.srcObject = null;
    screen.disableRemotePlayback = true; // without this, a ManagedMediaSource does not open
    if (this.codec) this.begin();
  }

  async frames(): Promise<number> {
    const now = this.screen?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
    if (now < this.newest) this.counted += this.newest; // a new source counts from 0
    this.newest = now;
    return this.counted + now;
  }

  delayMs(): number | null {
    const taken = this.takenMs;
    return taken === null ? null : Math.max(0, Date.now() - taken);
  }

  close(): void {
    this.ended = true;
    clearInterval(this.asking);
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.letGo();
  }

  private told(message: Told): void {
    if (message.type === "opened") {
      this.paused = null;
      this.codec = message.codec;
      this.waiting = [];
      this.times.clear();
      if (this.screen) this.begin();
      this.onopened(message.codec);
    } else if (message.type === "paused") {
      this.paused = message.reason;
      this.onpaused();
    } else if (message.type === "ended") {
      this.ended = true;
      this.onended(message.reason, message.code);
    } else if (message.type === "clock") this.times.setClock(message.sent, Date.now(), message.now_us / 1_000);
  }

  private take(data: ArrayBuffer): void {
    this.times.read(data);
    this.waiting.push(data);
    this.append();
  }

  /** A new source for a stream that begins. */
  private begin(): void {
    const screen = this.screen;
    if (!screen) return;
    this.letGo();
    if (!this.Source.isTypeSupported(mimeOf(this.codec))) {
      this.ended = true; // the stream became one that is not played here: asked anew, that is told
      return;
    }
    const source = (this.source = new this.Source());
    this.address = URL.createObjectURL(source);
    source.onsourceopen = () => {
      if (source !== this.source || this.buffer) return;
      this.buffer = source.addSourceBuffer(mimeOf(this.codec));
      this.buffer.onupdateend = () => {
        this.follow();
        this.append();
      };
      this.append();
    };
    this.edge.begin();
    screen.src = this.address;
    play(screen);
  }

  private letGo(): void {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = "";
    if (this.buffer) this.buffer.onupdateend = null;
    this.buffer = this.source = null;
  }

  private append(): void {
    const { buffer, screen } = this;
    if (!buffer || !screen || buffer.updating || this.source?.readyState !== "open") return;
    if (screen.error) {
      this.ended = true;
      return;
    }
    const { buffered, currentTime } = screen;
    try {
      if (buffered.length && currentTime - buffered.start(0) > TRIM_S) buffer.remove(0, currentTime - KEEP_S);
      else if (this.waiting.length) {
        buffer.appendBuffer(joined(this.waiting));
        this.waiting = [];
      }
    } catch {
      this.ended = true; // the buffer is full or gone: a new connection begins with a new one
    }
  }

  private follow(): void {
    const { screen } = this;
    if (!screen?.buffered.length) return;
    const last = screen.buffered.length - 1;
    const [start, end] = [screen.buffered.start(last), screen.buffered.end(last)];
    // A picture is said to last longer than it does, so what is buffered reaches beyond the newest.
    const newest = Math.min(end, this.times.newestTime ?? end);
    const next = this.edge.follow(screen.currentTime, start, Math.max(start, newest));
    if (next.jumpTo !== null) screen.currentTime = next.jumpTo;
    if (screen.playbackRate !== next.rate) screen.playbackRate = next.rate;
    if (screen.paused) play(screen);
  }

  private ask = (): void => {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: "clock", sent: Date.now() }));
  };
}

/** A browser that has seen no click on the page yet plays no sound: then the picture alone. */
function play(screen: HTMLVideoElement): void {
  screen.play().catch((error: unknown) => {
    if (screen.muted || !(error instanceof DOMException) || error.name !== "NotAllowedError") return;
    screen.muted = true;
    screen.play().catch(() => undefined);
  });
}

function joined(parts: ArrayBuffer[]): ArrayBuffer {
  if (parts.length === 1 && parts[0]) return parts[0];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return all.buffer;
}
