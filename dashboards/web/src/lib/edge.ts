/** How a player keeps close behind the newest picture without running dry. Times in s. */

/** Behind the newest picture: from the least that plays smoothly to the most that is still live. */
const LEAST = 0.25;
const MOST = 0.7;
/** So much further behind than aimed at, it jumps. */
const JUMP = 0.5;
const SLACK = 0.08;
const FASTER = 1.1;
/** Running dry soon after a start or a jump says nothing. */
const SETTLE_MS = 1_500;
const CALM_MS = 20_000;

export interface Step {
  jumpTo: number | null;
  rate: number;
}

export class Edge {
  /** How far behind the newest picture it aims to be. */
  aim = LEAST;
  private fresh = true;
  private movedMs = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A new source: its first picture is not the newest. */
  begin(): void {
    this.fresh = true;
  }

  /** What to do at `time`, where the newest stretch of video reaches from `start` to `end`. */
  follow(time: number, start: number, end: number): Step {
    const behind = end - time;
    if (this.now() - this.movedMs > CALM_MS && this.aim > LEAST) {
      this.aim = Math.max(LEAST, this.aim - 0.05);
      this.movedMs = this.now();
    }
    if (this.fresh || time < start || behind > this.aim + JUMP || behind < 0) {
      this.fresh = false;
      this.movedMs = this.now();
      return { jumpTo: Math.max(start, end - this.aim), rate: 1 };
    }
    return { jumpTo: null, rate: behind > this.aim + SLACK ? FASTER : 1 };
  }

  /** It ran dry: a little more distance from now on. */
  starved(): void {
    if (this.now() - this.movedMs < SETTLE_MS) return;
    this.aim = Math.min(MOST, this.aim + 0.1);
    this.movedMs = this.now();
  }
}
