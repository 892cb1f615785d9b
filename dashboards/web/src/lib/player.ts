/**
 * Keeps a camera playing: takes the first way that serves, watches that frames arrive, and opens the next
 * connection when they do not. An open connection proves nothing; only new frames do.
 */
import { ApiError } from "../api/client";
import type { ProblemCode } from "../api/types";
import { Backoff } from "./backoff";
import { type Connection, type Paths, paths, Unusable, type Way } from "./connection";

/** `waiting`: the picture was lost, or did not come, and is tried again soon. */
export type PlayerState = "stopped" | "opening" | "playing" | "waiting";

const FIRST_FRAME_MS = { webrtc: 2_000, mse: 8_000, pictures: 10_000 };
const NEXT_FRAME_MS = { webrtc: 5_000, mse: 5_000, pictures: 12_000 };
/** So much longer where the connection looks for a new path; the old picture is not live meanwhile. */
const MENDING_MS = 7_000;
const LOOK_MS = 1_000;
const LOOK_FIRST_MS = 100;
/** A session that ends sooner says nothing the first times: the server may have been started anew. It says so if it refuses. */
const SHORT_MS = 3_000;
const SHORT_TIMES = 3;
/** So many looks are quick ones: a stream that cannot be carried shows it soon after its first pictures. */
const FIRST_LOOKS = 40;
/** A pause between two looks that is so much longer than asked for: the machine slept. */
const SLEPT_MS = 8_000;

export class Player {
  /** When the newest frame came, by the viewer's clock; null before the first. */
  lastFrameMs: number | null = null;
  /** Why the last try failed; null while it is not known, and once a picture has come. */
  error: unknown = null;
  /** The way that is in use, or was last. */
  way: Way | null = null;
  /** How much later than it was taken the picture is seen, ms; null where that is not known. */
  delayMs: number | null = null;
  private abort: AbortController | null = null;
  private state: PlayerState = "stopped";
  private readonly unfit = new Map<string, ProblemCode>();
  private connection: Connection | null = null;
  /** How many sessions ended at once, one after the other. */
  private short = 0;
  private wakeUp: () => void = () => undefined;

  /**
   * `ways` best first; the last is taken when no other serves. `tell` hears each change of state, and of the
   * delay, while the old picture can still be seen; `show` gets each new connection.
   */
  constructor(
    private readonly ways: () => readonly Way[],
    private readonly show: (connection: Connection, way: Way) => void,
    private readonly tell: (state: PlayerState) => void,
    private readonly backoff = new Backoff(),
    private readonly network: Paths = paths,
  ) {}

  /** Why a better way is not taken, where that lies in the stream; null where none was refused so. */
  get refused(): ProblemCode | null {
    return [...this.unfit.values()].at(-1) ?? null;
  }

  start(): void {
    if (this.abort) return;
    this.unfit.clear();
    this.short = 0;
    this.abort = new AbortController();
    void this.run(this.abort.signal);
  }

  stop(): void {
    if (!this.abort) return;
    this.change("stopped");
    this.abort.abort();
    this.abort = null;
    this.backoff.reset();
  }

  /** The network came back or is another one: try at once what waits. */
  wake(): void {
    this.backoff.reset();
    this.connection?.networkChanged?.();
    this.wakeUp();
  }

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.change("opening");
      const way = this.choose();
      this.way = way;
      const error = await this.session(way, signal).then(
        () => null,
        (reason: unknown) => reason,
      );
      if (signal.aborted) return;
      if (error !== null) {
        this.error = error;
        if (this.leave(way, error)) continue; // by the next way, at once
      } else if (this.short === 1) continue;
      this.change("waiting");
      await this.pause(this.backoff.next(), signal);
    }
  }

  private choose(): Way {
    const ways = this.ways();
    const good = ways.find((way) => !this.unfit.has(key(way)) && this.network.open(way.kind));
    return good ?? (ways.at(-1) as Way);
  }

  /** Whether there is another way to try, since this one does not serve. */
  private leave(way: Way, error: unknown): boolean {
    // Nothing is known of the ways while the server itself is not there.
    if (error instanceof ApiError && error.status === 0) this.network.forget();
    if (way.kind === "pictures") return false;
    const code = error instanceof Unusable ? "codec" : error instanceof ApiError ? error.code : null;
    if (error instanceof Unusable && error.why === "path") this.network.close(way.kind);
    else if (code === "codec" || code === "b-frames" || code === "too-many-transcodes") this.unfit.set(key(way), code);
    else return false;
    return true;
  }

  private async session(way: Way, signal: AbortSignal): Promise<void> {
    const connection = await way.connect(signal);
    try {
      if (signal.aborted) return;
      this.connection = connection;
      this.show(connection, way);
      await this.follow(connection, way, signal);
      if (way.kind === "pictures") this.unfit.clear(); // it looks around anew
      if (!signal.aborted) this.change("waiting");
    } finally {
      this.connection = null;
      connection.close();
    }
  }

  /** Until the connection is dead. Throws Unusable when no frame came at all. */
  private async follow(connection: Connection, way: Way, signal: AbortSignal): Promise<void> {
    let frames = 0;
    const began = performance.now();
    let newest = began;
    for (let looks = 0; !signal.aborted && !connection.ended; looks += 1) {
      const count = await connection.frames();
      if (signal.aborted) return;
      if (connection.paused !== null) {
        newest = performance.now();
        this.change("waiting");
      } else if (count > frames) {
        frames = count;
        newest = performance.now();
        this.lastFrameMs = connection.takenMs ?? Date.now();
        this.backoff.reset();
        this.error = null;
        this.change("playing");
      } else if (frames === 0 && performance.now() - newest > FIRST_FRAME_MS[way.kind])
        throw new Unusable("path", "no picture came by this way");
      else if (performance.now() - newest > NEXT_FRAME_MS[way.kind]) {
        this.change("waiting");
        if (!connection.mending || performance.now() - newest > NEXT_FRAME_MS[way.kind] + MENDING_MS) return;
      }
      this.delayMs = connection.delayMs();
      if (this.state === "playing") this.change("playing", true);
      const asleep = Date.now();
      await sleep(frames && looks > FIRST_LOOKS ? LOOK_MS : LOOK_FIRST_MS, signal);
      if (Date.now() - asleep > SLEPT_MS) return this.backoff.reset();
    }
    // Such as B-frames, which the server sees only in the first pictures of a stream that nobody watched before: asked
    // again, it says so.
    const short = connection.ended && way.kind === "webrtc" && performance.now() - began < SHORT_MS;
    this.short = short ? this.short + 1 : 0;
    if (this.short === SHORT_TIMES) throw new Unusable("stream", "the server ends each session at once");
  }

  private async pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    const either = new AbortController();
    const end = () => either.abort();
    this.wakeUp = end;
    signal.addEventListener("abort", end);
    await sleep(milliseconds, either.signal);
    signal.removeEventListener("abort", end);
    this.wakeUp = () => undefined;
  }

  private change(state: PlayerState, always = false): void {
    if (state === this.state && !always) return;
    this.state = state;
    this.tell(state);
  }
}

const key = (way: Way): string => `${way.kind} ${way.stream} ${way.transcoded ? "transcoded" : ""}`;

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}
