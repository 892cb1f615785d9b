/** Watching a camera by stills, one a second: the way that goes wherever pages go, and on any browser. */
import * as api from "../api/client";
import type { Connection } from "./connection";

const EVERY_MS = 1_000;
const MOST_FAILURES = 3;
/** After this it is tried whether video goes by now. */
const LOOK_AROUND_MS = 120_000;

export async function watchPictures(camera: string, height: number, signal: AbortSignal): Promise<Connection> {
  return new Pictures(camera, height, await api.still(camera, height, signal));
}

class Pictures implements Connection {
  readonly paused = null;
  ended = false;
  takenMs: number | null = null;
  private count = 0;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private draw: (still: ImageBitmap, takenMs: number) => void = () => undefined;
  private readonly abort = new AbortController();
  private readonly until = Date.now() + LOOK_AROUND_MS;

  constructor(
    private readonly camera: string,
    private readonly height: number,
    private first: api.Still | null,
  ) {}

  attach(screen: HTMLVideoElement, draw: (still: ImageBitmap, takenMs: number) => void): void {
    screen.srcObject = null;
    this.draw = draw;
    if (this.first) this.show(this.first);
    this.first = null;
    this.timer = setTimeout(this.next, EVERY_MS);
  }

  async frames(): Promise<number> {
    return this.count;
  }

  delayMs(): number | null {
    return this.takenMs === null ? null : Date.now() - this.takenMs;
  }

  close(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.abort.abort();
    this.first?.picture.close();
  }

  private show(still: api.Still): void {
    // The same picture again says nothing new.
    if (this.takenMs === null || still.takenMs > this.takenMs + 50) {
      this.count += 1;
      this.takenMs = still.takenMs;
      this.draw(still.picture, still.takenMs);
    }
    still.picture.close();
  }

  private next = async (): Promise<void> => {
    try {
      this.show(await api.still(this.camera, this.height, this.abort.signal));
      this.failures = 0;
    } catch {
      this.failures += 1;
    }
    if (this.failures >= MOST_FAILURES || Date.now() > this.until) this.ended = true;
    if (!this.ended) this.timer = setTimeout(this.next, EVERY_MS);
  };
}
