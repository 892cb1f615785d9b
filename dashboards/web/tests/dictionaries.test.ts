/** Both languages are complete. That they have the same keys, the type checker holds. */
import { expect, it } from "vitest";
import openapi from "../openapi.json";
import { en } from "../src/i18n/en";
import { causeWords, language } from "../src/i18n/index.svelte";
import { vi } from "../src/i18n/vi";
import { camera } from "./support";

type Tree = { [key: string]: unknown };

function* leaves(tree: Tree, path = ""): Generator<[string, string]> {
  for (const [key, value] of Object.entries(tree)) {
    const here = path ? `${path}.${key}` : key;
    if (typeof value === "string") yield [here, value];
    else if (typeof value === "function") yield [here, String((value as (...some: number[]) => unknown)(2, 7))];
    else yield* leaves(value as Tree, here);
  }
}

it("no text is empty or left in the other language", () => {
  const english = new Map(leaves(en as unknown as Tree));
  const same = [...leaves(vi as unknown as Tree)].filter(([key, text]) => text === english.get(key));
  expect(same.map(([key]) => key).sort()).toEqual(["app.name", "camera.way.mse.name", "camera.way.webrtc.name", "event.camera", "menu.role"]);
  for (const [key, text] of english) expect(text.trim(), key).not.toBe("");
  expect(english.size).toBeGreaterThan(150);
});

it("every cause that the server may tell has a sentence in both languages, and no sentence is left over", () => {
  const { Cause, RecordingCause, NotLive, Skill } = openapi.components.schemas;
  for (const { camera, sites } of [vi, en]) {
    expect(Object.keys(sites.lacks).sort()).toEqual([...Skill.enum].sort());
    expect(Object.keys(camera.cause).sort()).toEqual([...Cause.enum].sort());
    expect(Object.keys(camera.recordingCause).sort()).toEqual([...RecordingCause.enum].sort());
    expect(Object.keys(camera.notLive).sort()).toEqual([...NotLive.enum].sort());
  }
});

it("a cause names the codec and the stream that it is about; without one the state says what it means", () => {
  language.current = "vi";
  const told = camera({ state: "unsupported", cause: "unsupported-codec", cause_detail: "MJPEG", cause_stream: "sub" });
  expect(causeWords(told)).toBe("Luồng phụ: Camera gửi hình bằng mã MJPEG, ở đây chưa dùng được. Đặt camera sang H.264.");
  expect(causeWords(camera({ state: "away" }))).toBe(vi.camera.help.away);
  language.current = "en";
  expect(causeWords(told)).toContain("Sub stream: The camera sends MJPEG");
});
