/** How a player keeps close behind the newest picture without running dry. Times in s. */

/** Behind the newest picture: from the least that plays smoothly to the most that is still live. */
const LEAST = 0.25;
const MOST = 0.7;
/** So much further behind than aimed at, or beyond the newest picture, it jumps. */
const JUMP = 0.5;
const BEYOND = 0.3;
const SLACK = 0.08;
const FASTER = 1.1;
/** Where it is too close, it gets its distance back without anybody's seeing it; where it ran dry, soon. */
const SLOWER = 0.97;
const DRY = 0.85;
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
    if (this.fresh || time < start || behind > this.aim + JUMP || behind < -BEYOND) {
      this.fresh = false;
      this.movedMs = this.now();
      return { jumpTo: Math.max(start, end - this.aim), rate: 1 };
    }
    if (behind > this.aim + SLACK) return { jumpTo: null, rate: FASTER };
    if (behind < 0) {
      this.ranDry();
      return { jumpTo: null, rate: DRY };
    }
    return { jumpTo: null, rate: behind < this.aim - 2 * SLACK ? SLOWER : 1 };
  }

  /** A little more distance from now on. */
  private ranDry(): void {
    if (this.now() - this.movedMs < SETTLE_MS) return;
    this.aim = Math.min(MOST, this.aim + 0.1);
    this.movedMs = this.now();
  }
}
