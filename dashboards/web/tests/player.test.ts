/** A camera keeps playing: only new frames count as life, and what is dead is tried again. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Backoff } from "../src/lib/backoff";
import { Player, type PlayerState } from "../src/lib/player";
import type { Connection } from "../src/lib/whep";

class FakeConnection implements Connection {
  readonly stream = {} as MediaStream;
  ended = false;
  count = 0;
  rate = 1;
  closed = false;

  async frames(): Promise<number> {
    return (this.count += this.rate);
  }

  close(): void {
    this.closed = true;
  }
}

let made: FakeConnection[];
let told: PlayerState[];
let refuse: boolean;

function player(): Player {
  const connect = async () => {
    if (refuse) throw new Error("refused");
    const connection = new FakeConnection();
    made.push(connection);
    return connection;
  };
  return new Player(connect, () => undefined, (state) => told.push(state), new Backoff(1_000, 8_000, () => 1));
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  made = [];
  told = [];
  refuse = false;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
});
afterEach(() => vi.useRealTimers());

it("plays from the first frame, and knows when the newest one came", async () => {
  const one = player();
  one.start();
  await pass(3_000);
  expect(told).toEqual(["opening", "playing"]);
  expect(Date.now() - (one.lastFrameMs ?? 0)).toBeLessThan(1_500);
  one.stop();
});

it("takes an open connection without new frames for dead, and opens the next", async () => {
  const one = player();
  one.start();
  await pass(2_000);
  if (made[0]) made[0].rate = 0;
  await pass(5_000);
  expect(told.at(-1)).toBe("playing");
  await pass(3_500);
  expect(made[0]?.closed).toBe(true);
  expect(made).toHaveLength(2);
  expect(told).toEqual(["opening", "playing", "waiting", "opening", "playing"]);
  one.stop();
});

it("goes on trying a camera that refuses, more and more slowly", async () => {
  refuse = true;
  const one = player();
  one.start();
  await pass(100_000);
  const tries = told.filter((state) => state === "opening").length;
  expect(tries).toBeGreaterThan(8);
  expect(tries).toBeLessThan(18);
  refuse = false;
  await pass(9_000);
  expect(told.at(-1)).toBe("playing");
  one.stop();
});

it("lets go at once when stopped, also while it is being opened", async () => {
  const one = player();
  one.start();
  one.stop();
  await pass(1_000);
  expect(made.every((connection) => connection.closed)).toBe(true);
  one.start();
  await pass(1_000);
  one.stop();
  await pass(1_000);
  expect(made.at(-1)?.closed).toBe(true);
  expect(told.at(-1)).toBe("stopped");
});
