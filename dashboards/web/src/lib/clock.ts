/**
 * The server's clock as this page knows it, whatever the browser's own clock says.
 * Asked for by GET /api/clock a few times over: the quickest answer is the truest.
 */
import * as api from "../api/client";

const TRIES = 3;
const GOOD_FOR_MS = 60_000;

export class ServerClock {
  /** What the server's clock is ahead of `performance.now()`, ms; null while that is not known. */
  private aheadMs: number | null = null;
  private asking = false;
  private askedMs = -Infinity;

  constructor(private readonly ask: () => Promise<number> = api.clock) {}

  /** The server's time, ms since 1970, at a moment of `performance.now()`. */
  at(momentMs: number): number | null {
    if (!this.asking && Date.now() - this.askedMs > GOOD_FOR_MS) void this.set();
    return this.aheadMs === null ? null : momentMs + this.aheadMs;
  }

  private async set(): Promise<void> {
    this.asking = true;
    let quickest = Infinity;
    let aheadMs = this.aheadMs;
    try {
      for (let tried = 0; tried < TRIES; tried += 1) {
        const sent = performance.now();
        const server = await this.ask();
        const round = performance.now() - sent;
        if (round < quickest) aheadMs = server - sent - round / 2;
        quickest = Math.min(quickest, round);
      }
    } catch {
      // Not reached: what was known before has to do, and it is asked again in a while.
    }
    this.aheadMs = aheadMs;
    this.askedMs = Date.now();
    this.asking = false;
  }
}

/** That of the page. */
export const serverClock = new ServerClock();
