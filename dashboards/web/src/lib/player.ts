/**
 * Keeps a camera playing: opens a connection, watches that frames arrive, and opens the next one when they
 * do not. An open connection proves nothing; only new frames do.
 */
import { Backoff } from "./backoff";
import type { Connection } from "./whep";

/** `waiting`: the picture was lost, or did not come, and is tried again soon. */
export type PlayerState = "stopped" | "opening" | "playing" | "waiting";

const FIRST_FRAME_MS = 10_000;
const NEXT_FRAME_MS = 5_000;
const LOOK_MS = 1_000;
const LOOK_FIRST_MS = 150;

export class Player {
  /** When the newest frame came, by the viewer's clock; null before the first. */
  lastFrameMs: number | null = null;
  /** Why the last try failed; null while it is not known, and once a picture has come. */
  error: unknown = null;
  private abort: AbortController | null = null;
  private state: PlayerState = "stopped";

  /** `tell` hears each change of state while the old picture can still be seen; `show` gets each new stream. */
  constructor(
    private readonly connect: (signal: AbortSignal) => Promise<Connection>,
    private readonly show: (stream: MediaStream) => void,
    private readonly tell: (state: PlayerState) => void,
    private readonly backoff = new Backoff(),
  ) {}

  start(): void {
    if (this.abort) return;
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

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.change("opening");
      await this.session(signal).catch((error: unknown) => (this.error = error));
      if (signal.aborted) return;
      this.change("waiting");
      await sleep(this.backoff.next(), signal);
    }
  }

  private async session(signal: AbortSignal): Promise<void> {
    const connection = await this.connect(signal);
    try {
      if (signal.aborted) return;
      this.show(connection.stream);
      let frames = 0;
      let newest = performance.now();
      while (!signal.aborted && !connection.ended) {
        const count = await connection.frames();
        if (signal.aborted) return;
        if (count > frames) {
          frames = count;
          newest = performance.now();
          this.lastFrameMs = Date.now();
          this.backoff.reset();
          this.error = null;
          this.change("playing");
        } else if (performance.now() - newest > (frames ? NEXT_FRAME_MS : FIRST_FRAME_MS)) break;
        await sleep(frames ? LOOK_MS : LOOK_FIRST_MS, signal);
      }
      if (!signal.aborted) this.change("waiting");
    } finally {
      connection.close();
    }
  }

  private change(state: PlayerState): void {
    if (state === this.state) return;
    this.state = state;
    this.tell(state);
  }
}

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
