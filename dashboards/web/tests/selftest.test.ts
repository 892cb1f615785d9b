/** The self-test's one sentence follows from what was found. */
import { expect, it } from "vitest";
import { abilities, answer, type Found, type Trial } from "../src/lib/selftest";

const trial = (found: Found): Trial => ({ found, code: null, tookMs: null });

it.each<[Found, Found, Found, string]>([
  ["fine", "fine", "fine", "all"],
  ["path", "fine", "fine", "mse"],
  ["browser", "fine", "fine", "order"],
  ["fine", "path", "fine", "webrtc"],
  ["path", "path", "fine", "stills"],
  ["browser", "browser", "fine", "stream"],
  ["camera", "camera", "camera", "none"],
  ["server", "server", "server", "none"],
])("webrtc %s, mse %s, stills %s: %s", (webrtc, mse, still, expected) => {
  expect(answer(trial(webrtc), trial(mse), trial(still))).toBe(expected);
});

it("a browser without any of it is told apart", () => {
  expect(abilities()).toEqual({ webrtc: false, mse: false, h265: false });
});
