/** A player keeps under a second behind the newest picture, and its clock is that of the pictures. */
import { expect, it } from "vitest";
import { Edge } from "../src/lib/edge";
import { PictureTimes } from "../src/lib/taken";

/** Plays pictures that come every 0.1 s, each `late()` s after its time; how far behind it was, how often one came too late. */
function play(seconds: number, late: (at: number) => number): { behind: number[]; jumps: number; dry: number } {
  let ms = 0;
  const edge = new Edge(() => ms);
  const behind: number[] = [];
  let [time, end, rate, jumps, dry] = [0, 0, 1, 0, 0];
  for (; ms < seconds * 1_000; ms += 20) {
    const now = ms / 1_000;
    time = Math.min(end + 0.2, time + 0.02 * rate); // a picture is said to last twice as long as it does
    const before = end;
    for (let at = end + 0.1; at + late(at) <= now; at += 0.1) end = at;
    if (end > before) {
      if (time > end) dry += 1;
      const step = edge.follow(time, 0, end);
      if (step.jumpTo !== null) [time, jumps] = [step.jumpTo, jumps + 1];
      rate = step.rate;
    }
    behind.push(now - time);
  }
  return { behind, jumps, dry };
}

it("stays close behind where pictures come evenly", () => {
  const { behind, jumps, dry } = play(60, () => 0.02);
  expect(Math.max(...behind.slice(100))).toBeLessThan(0.5);
  expect(jumps).toBe(1);
  expect(dry).toBeLessThan(2); // at the start there is but one picture
});

it("keeps more distance where they come unevenly, and under a second all the same", () => {
  const { behind, dry } = play(120, (at) => (Math.round(at * 10) % 7 ? 0.05 : 0.45));
  expect(behind.filter((one) => one > 1).length / behind.length).toBeLessThan(0.01);
  expect(dry).toBeLessThan(10);
});

it("jumps to the newest picture after a standstill", () => {
  const { behind } = play(30, (at) => (at > 10 && at < 14 ? 14 - at : 0.02));
  expect(Math.max(...behind.slice(750))).toBeLessThan(0.6);
});

it("begins at the live edge, and jumps over what is missing", () => {
  const edge = new Edge(() => 0);
  expect(edge.follow(0, 0, 10).jumpTo).toBeCloseTo(10 - edge.aim);
  expect(edge.follow(9.8, 0, 10).jumpTo).toBeNull();
  expect(edge.follow(9.9, 10.5, 10.6).jumpTo).toBe(10.5);
});

/** A `prft` box as the server makes it. */
function prft(wallMs: number, timeUs: number): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(40));
  view.setUint32(0, 32);
  view.setUint32(4, 0x70726674);
  view.setUint32(16, Math.floor(wallMs / 1_000) + 2_208_988_800);
  view.setUint32(20, Math.round(((wallMs % 1_000) / 1_000) * 2 ** 32));
  view.setUint32(24, Math.floor(timeUs / 2 ** 32));
  view.setUint32(28, timeUs % 2 ** 32);
  return view.buffer;
}

it("knows when the picture on the screen was taken, on the viewer's own clock", () => {
  const times = new PictureTimes();
  expect(times.takenMs(1)).toBeNull();
  const taken = 1_796_000_000_250;
  times.read(prft(taken, 5_000_000_000));
  expect(times.takenMs(5_000)).toBeCloseTo(taken, 0);
  expect(times.takenMs(4_999.6)).toBeCloseTo(taken - 400, 0);
  times.setClock(1_000, 1_100, 61_050); // the server is a minute ahead
  expect(times.takenMs(5_000)).toBeCloseTo(taken - 60_000, 0);
  times.setClock(2_000, 5_000, 70_000); // an answer that took long says less
  expect(times.takenMs(5_000)).toBeCloseTo(taken - 60_000, 0);
});
