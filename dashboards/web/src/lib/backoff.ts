/** Waiting times for tries that repeat: doubling up to a limit, with jitter so that viewers do not return in step. */
export class Backoff {
  private tries = 0;

  constructor(
    private readonly firstMs = 1_000,
    private readonly limitMs = 15_000,
    private readonly random: () => number = Math.random,
  ) {}

  /** The next wait, in ms: between half of the full step and the full step. */
  next(): number {
    const step = Math.min(this.limitMs, this.firstMs * 2 ** this.tries);
    this.tries += 1;
    return step * (0.5 + this.random() / 2);
  }

  reset(): void {
    this.tries = 0;
  }
}
