/** What changes reaches the page; after a gap everything is fetched again. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Updates } from "../src/api/updates";
import { Backoff } from "../src/lib/backoff";
import { event } from "./support";

class FakeSource extends EventTarget {
  static made: FakeSource[] = [];
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;

  constructor(readonly url: string) {
    super();
    FakeSource.made.push(this);
  }

  close(): void {
    this.closed = true;
  }

  say(kind: string, what: unknown): void {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(what) }));
  }
}

const latest = () => FakeSource.made.at(-1) as FakeSource;
const make = (url: string) => new FakeSource(url) as unknown as EventSource;

beforeEach(() => {
  FakeSource.made = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

it("tells listeners of their own kind until they leave", () => {
  const updates = new Updates(async () => true, make);
  const heard: string[] = [];
  const leave = updates.on("event", ({ id }) => heard.push(id));
  updates.open();
  latest().say("event", event({ id: "a" }));
  latest().say("site", { id: "khe-coc" });
  leave();
  latest().say("event", event({ id: "b" }));
  expect(heard).toEqual(["a"]);
});

it("comes back by itself, and says that something may have been missed", async () => {
  const updates = new Updates(async () => true, make);
  const told: unknown[] = [];
  updates.on("connected", (there) => told.push(there));
  updates.on("renewed", () => told.push("renewed"));
  updates.open();
  latest().onopen?.();
  latest().onerror?.();
  expect(latest().closed).toBe(true);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(FakeSource.made).toHaveLength(2);
  latest().onopen?.();
  latest().say("reset", null);
  expect(told).toEqual([true, "renewed", false, true, "renewed", "renewed"]);
});

it("stays away when the server no longer knows us, or when it was closed", async () => {
  const updates = new Updates(async () => false, make);
  updates.open();
  latest().onerror?.();
  await vi.advanceTimersByTimeAsync(60_000);
  const closed = new Updates(async () => true, make);
  closed.open();
  const source = latest();
  closed.close();
  source.onerror?.();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSource.made).toHaveLength(2);
});

it("waits longer from try to try, up to a limit, and never in step with others", () => {
  const longest = new Backoff(1_000, 15_000, () => 1);
  expect([1, 2, 3, 4, 5, 6].map(() => longest.next())).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  longest.reset();
  expect(longest.next()).toBe(1_000);
  expect(new Backoff(1_000, 15_000, () => 0).next()).toBe(500);
});
