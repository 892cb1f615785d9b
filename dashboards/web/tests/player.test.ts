/** A camera keeps playing: only new frames count as life, what is dead is tried again, what cannot serve is left. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Backoff } from "../src/lib/backoff";
import { ApiError } from "../src/api/client";
import type { ProblemCode } from "../src/api/types";
import { type Connection, type Kind, Paths, Unusable, type Way } from "../src/lib/connection";
import { Player, type PlayerState } from "../src/lib/player";

class FakeConnection implements Connection {
  ended = false;
  paused: string | null = null;
  takenMs: number | null = null;
  count = 0;
  rate = 1;
  mending = false;
  told = 0;
  closed = false;

  attach(): void {}

  networkChanged(): void {
    this.told += 1;
  }

  delayMs(): number | null {
    return this.takenMs === null ? null : Date.now() - this.takenMs;
  }

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
let tried: string[];
let network: Paths;

function player(): Player {
  const connect = async () => {
    if (refuse) throw new Error("refused");
    const connection = new FakeConnection();
    made.push(connection);
    return connection;
  };
  return playing([{ kind: "mse", stream: "sub", connect }]);
}

function playing(ways: Way[]): Player {
  const tell = (state: PlayerState) => told.at(-1) !== state && told.push(state);
  return new Player(() => ways, () => undefined, tell, new Backoff(1_000, 8_000, () => 1), network);
}

/** A way that opens and then shows `rate` frames a look, or throws what it is given. */
function way(kind: Kind, does: number | Error, stream: "main" | "sub" = "sub"): Way {
  const connect = async () => {
    tried.push(`${kind} ${stream}`);
    if (typeof does !== "number") throw does;
    const connection = new FakeConnection();
    connection.rate = does;
    made.push(connection);
    return connection;
  };
  return { kind, stream, connect };
}

const refusal = (code: ProblemCode) => new ApiError(503, "", null, code);

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  made = [];
  told = [];
  refuse = false;
  tried = [];
  network = new Paths(60_000);
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

it("takes a transcoded stream when none goes as it is, and stills when the server has no place for it", async () => {
  const asIs = way("webrtc", refusal("codec"), "main");
  const one = playing([asIs, { ...way("webrtc", 1, "main"), transcoded: true }, way("pictures", 1)]);
  one.start();
  await pass(3_000);
  expect(one.way?.transcoded).toBe(true);
  one.stop();
  const full = { ...way("webrtc", refusal("too-many-transcodes"), "main"), transcoded: true };
  const other = playing([asIs, full, way("pictures", 1)]);
  other.start();
  await pass(3_000);
  expect(told.at(-1)).toBe("playing");
  expect(other.way?.kind).toBe("pictures");
  expect(other.refused).toBe("too-many-transcodes");
  other.stop();
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

it("goes on by the next way within 3 s where one connects but brings no picture", async () => {
  const one = playing([way("webrtc", 0), way("mse", 1), way("pictures", 1)]);
  one.start();
  await pass(3_000);
  expect(told).toEqual(["opening", "playing"]);
  expect(one.way?.kind).toBe("mse");
  expect(made[0]?.closed).toBe(true);
  one.stop();
});

it("takes the next way at once where the server says that the stream is not for it", async () => {
  const ways = [way("webrtc", refusal("b-frames")), way("mse", new Unusable("stream", "hvc1")), way("webrtc", refusal("codec"), "main")];
  const one = playing([...ways, way("pictures", 1)]);
  one.start();
  await pass(500);
  expect(tried).toEqual(["webrtc sub", "mse sub", "webrtc main", "pictures sub"]);
  expect(one.refused).toBe("codec");
  one.stop();
});

it("does not ask for what has no path again for a while, whoever asks, unless the network is another one", async () => {
  const ways = [way("webrtc", 0), way("mse", 1), way("pictures", 1)];
  const first = playing(ways);
  first.start();
  await pass(3_000);
  first.stop();
  const next = playing(ways);
  next.start();
  await pass(500);
  expect(tried).toEqual(["webrtc sub", "mse sub", "mse sub"]);
  next.stop();
  network.forget();
  next.start();
  await pass(500);
  expect(tried.at(-1)).toBe("webrtc sub");
  next.stop();
});

it("waits for a server that is away, and then begins with the best way again", async () => {
  const ways = [way("mse", new Unusable("path", "")), way("webrtc", new ApiError(0, "")), way("pictures", 1)];
  const one = playing(ways);
  one.start();
  await pass(3_500);
  expect(tried.slice(0, 4)).toEqual(["mse sub", "webrtc sub", "mse sub", "webrtc sub"]);
  one.stop();
});

it("tries at once when the network is back", async () => {
  const one = playing([way("webrtc", new ApiError(0, ""))]);
  one.start();
  await pass(8_100);
  const before = tried.length;
  one.wake();
  await pass(10);
  expect(tried).toHaveLength(before + 1);
  one.stop();
});

it("opens anew after a sleep, in which timers stood still", async () => {
  const one = player();
  one.start();
  await pass(3_000);
  expect(made).toHaveLength(1);
  vi.setSystemTime(Date.now() + 3_600_000);
  await pass(2_500);
  expect(made[0]?.closed).toBe(true);
  expect(made).toHaveLength(2);
  one.stop();
});

it("says that nothing comes as soon as the server says so, and keeps the connection", async () => {
  const one = player();
  one.start();
  await pass(2_000);
  const connection = made[0] as FakeConnection;
  connection.paused = "the camera is away";
  connection.rate = 0;
  await pass(30_000);
  expect(told.at(-1)).toBe("waiting");
  connection.paused = null;
  connection.rate = 1;
  await pass(1_100);
  expect(told.at(-1)).toBe("playing");
  expect(made).toHaveLength(1);
  one.stop();
});

it("tells how old the picture is that is seen", async () => {
  const one = player();
  one.start();
  await pass(500);
  const connection = made[0] as FakeConnection;
  connection.takenMs = Date.now() - 400;
  await pass(1_000);
  expect(one.delayMs).toBeGreaterThanOrEqual(400);
  expect(one.lastFrameMs).toBe(connection.takenMs);
  one.stop();
});

it("asks again, at once, where a session ends as soon as it has begun, and leaves a way only when it always does", async () => {
  const one = playing([way("webrtc", 1), way("mse", 1), way("pictures", 1)]);
  one.start();
  await pass(500);
  (made[0] as FakeConnection).ended = true;
  await pass(300);
  expect(tried).toEqual(["webrtc sub", "webrtc sub"]);
  expect(one.way?.kind).toBe("webrtc");
  (made[1] as FakeConnection).ended = true;
  await pass(2_500);
  (made[2] as FakeConnection).ended = true;
  await pass(300);
  expect(one.way?.kind).toBe("mse");
  one.stop();
});

it("goes by the server's reason when it asks again", async () => {
  let asked = 0;
  const webrtc = way("webrtc", 1);
  const connect = async (signal: AbortSignal) => {
    if (asked++) throw refusal("b-frames");
    return webrtc.connect(signal);
  };
  const one = playing([{ ...webrtc, connect }, way("mse", 1), way("pictures", 1)]);
  one.start();
  await pass(500);
  (made[0] as FakeConnection).ended = true;
  await pass(300);
  expect(one.way?.kind).toBe("mse");
  expect(one.refused).toBe("b-frames");
  one.stop();
});

it("waits longer for a connection that looks for a new path, without calling the old picture live", async () => {
  const one = playing([way("webrtc", 1), way("pictures", 1)]);
  one.start();
  await pass(5_000);
  const connection = made[0] as FakeConnection;
  connection.rate = 0;
  connection.mending = true;
  await pass(7_000);
  expect(connection.closed).toBe(false);
  expect(told.at(-1)).toBe("waiting");
  connection.rate = 1;
  await pass(2_000);
  expect(told.at(-1)).toBe("playing");
  connection.rate = 0;
  await pass(15_000);
  expect(connection.closed).toBe(true);
  one.stop();
});

it("tells the connection when the network may be another one", async () => {
  const one = player();
  one.start();
  await pass(500);
  one.wake();
  expect((made[0] as FakeConnection).told).toBe(1);
  one.stop();
});
