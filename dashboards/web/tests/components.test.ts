/** The parts say in words what is so, in the reader's language. */
import { type Component, flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, it } from "vitest";
import CameraTrouble from "../src/components/CameraTrouble.svelte";
import Clip from "../src/components/Clip.svelte";
import EventCard from "../src/components/EventCard.svelte";
import EventFacts from "../src/components/EventFacts.svelte";
import StreamFigures from "../src/components/StreamFigures.svelte";
import SiteCard from "../src/components/SiteCard.svelte";
import Snapshot from "../src/components/Snapshot.svelte";
import SiteUplink from "../src/components/SiteUplink.svelte";
import StateBadge from "../src/components/StateBadge.svelte";
import ZoneOverlay from "../src/components/ZoneOverlay.svelte";
import type { HubEvent, Site } from "../src/api/types";
import { language } from "../src/i18n/index.svelte";
import { arrow, sides } from "../src/lib/crossings";
import { toWatch } from "../src/lib/rehearsal";
import { isSiteId, siteId } from "../src/lib/siteid";
import { camera, event, site } from "./support";

let shown: Record<string, unknown> | null = null;

function show<P extends Record<string, unknown>>(component: Component<P>, props: P): HTMLElement {
  shown = mount(component, { target: document.body, props });
  flushSync();
  return document.body;
}

beforeEach(() => (language.current = "vi"));
afterEach(() => {
  if (shown) void unmount(shown);
  document.body.innerHTML = "";
});

it("a state is a word beside its dot, and follows the language", () => {
  const body = show(StateBadge, { state: "unauthorised" });
  expect(body.textContent).toContain("Sai mật khẩu");
  language.current = "en";
  flushSync();
  expect(body.textContent).toContain("Wrong password");
});

it("the worker's own words are there for who asks, and are marked as English", () => {
  const text = "Camera không trả lời.";
  const body = show(CameraTrouble, { text, details: "the camera at 10.0.0.9:554 did not answer" });
  const details = body.querySelector("details");
  expect(details?.open).toBe(false);
  expect(details?.querySelector("[lang=en]")?.textContent).toContain("did not answer");
  details?.remove();
  expect(body.textContent?.trim()).toBe(text);
});

it("an event says where, how long, and that it goes on", () => {
  expect(show(EventCard, { event: event({ end: null, duration_s: null }) }).textContent).toContain("đang diễn ra");
  document.body.innerHTML = "";
  const text = show(EventCard, { event: event(), search: "camera=khe-coc.cong-lang" }).textContent;
  expect(text).toContain("Cổng làng");
  expect(text).toContain("8 giây · Lòng đường");
  expect(document.querySelector("a")?.getAttribute("href")).toBe("/events/01A?camera=khe-coc.cong-lang");
});

it("an event's facts say who crossed which line, how long somebody was in a zone, and the way", () => {
  const crossing = { line: "Cổng xóm", to: "right", to_is: "vào xóm", at_s: 2 } as const;
  const crossings = [crossing, { ...crossing, at_s: 4 }, { ...crossing, to: "left", to_is: "", at_s: 5 } as const];
  const told = event({ crossings, entry: "left", exit: "inside" });
  const text = show(EventFacts, { event: told }).textContent ?? "";
  expect(text).toContain("Qua vạch");
  expect(text).toContain("“Cổng xóm” → vào xóm × 2");
  expect(text).toContain("“Cổng xóm” → sang bên trái vạch");
  expect(text).toContain("Lòng đường (5 giây)");
  expect(text).toContain("vào từ bên trái, dừng hoặc khuất trong hình");
  language.current = "en";
  flushSync();
  expect(document.body.textContent).toContain("came from the left, stopped or went out of sight inside it");
  document.body.innerHTML = "";
  expect(show(EventFacts, { event: event() }).textContent).not.toMatch(/Crossed line|Way/);
});

it("a line's sides are named where they are", () => {
  const { middle, left, right } = sides({ points: [[0.2, 0.5], [0.8, 0.5]] });
  expect(middle).toEqual([0.5, 0.5]);
  expect(left[1]).toBeLessThan(0.5);
  expect(right[1]).toBeGreaterThan(0.5);
  const upward = sides({ points: [[0.5, 0.9], [0.5, 0.5], [0.5, 0.1]] });
  expect(upward.right[0]).toBeGreaterThan(upward.left[0]);
  const line = { name: "Cổng xóm", points: [[0.2, 0.5], [0.8, 0.5]] as [number, number][], left_is: "", right_is: "vào xóm" };
  const text = show(ZoneOverlay, { zones: [], lines: [line] }).textContent ?? "";
  expect(text).toContain("Cổng xóm");
  expect(text).toContain("↓ vào xóm");
  expect(text).not.toContain("↑");
  expect([arrow([0, 0], [1, 0]), arrow([0, 0], [-1, 0]), arrow([0, 0], [0, -1])]).toEqual(["→", "←", "↑"]);
});

it("a tampered camera is told by what was done to it, in the reader's language", () => {
  const said = (change: Partial<HubEvent>) => {
    document.body.innerHTML = "";
    return show(EventCard, { event: event({ kind: "tamper", ...change }), ofCamera: true }).textContent;
  };
  expect(said({ cause: "covered" })).toContain("Camera bị che");
  expect(said({ cause: "frozen" })).toContain("Hình đứng yên");
  // A worker of before did not say what.
  expect(said({ cause: null })).toContain("Camera bị can thiệp");
  language.current = "en";
  expect(said({ cause: "turned" })).toContain("Camera turned away");
  expect(document.querySelector("strong")).toBeNull();
});

it("what comes from a rehearsal says so, in the reader's language", () => {
  expect(show(EventCard, { event: event({ site: "rehearsal" }) }).textContent).toContain("Diễn tập");
  language.current = "en";
  flushSync();
  expect(document.querySelector("[data-rehearsal]")?.textContent).toBe("Rehearsal");
  document.body.innerHTML = "";
  show(EventCard, { event: event() });
  expect(document.querySelector("[data-rehearsal]")).toBeNull();
});

it("a rehearsal that is over leaves no dark tiles on the wall; a hamlet without power does", () => {
  const over = camera({ id: "rehearsal.lane", site: "rehearsal", state: "away" });
  const dark = camera({ state: "away" });
  expect(toWatch([over, dark])).toEqual([dark]);
  expect(toWatch([{ ...over, state: "connecting" }])).toHaveLength(1);
});

it("a clip is a video only when it is there; until then words say what to expect", () => {
  const recent = new Date(Date.now() - 5_000).toISOString();
  for (const [end, word] of [
    [null, "khi sự kiện kết thúc"],
    [recent, "đang được gửi về"],
    ["2020-01-01T00:00:08Z", "không có đoạn ghi"],
  ] as const) {
    expect(show(Clip, { event: event({ clip: false, end }) }).textContent).toContain(word);
    expect(document.querySelector("video")).toBeNull();
    document.body.innerHTML = "";
  }
  show(Clip, { event: event() });
  expect(document.querySelector("video")?.getAttribute("src")).toBe("/api/events/01A/clip.mp4");
});

it("a picture is awaited for a while, and the alert's page shows it until the clip comes", () => {
  const recent = new Date(Date.now() - 5_000).toISOString();
  expect(show(Snapshot, { event: event({ snapshot: false, end: recent }) }).textContent).toContain("đang được gửi về");
  document.body.innerHTML = "";
  expect(show(Snapshot, { event: event({ snapshot: false, end: "2020-01-01T00:00:08Z" }) }).textContent).toContain("Không có hình");
  document.body.innerHTML = "";
  const text = show(Clip, { event: event({ clip: false, end: recent }), still: true }).textContent;
  expect([text?.includes("Đoạn ghi đang được gửi về"), document.querySelector("img") !== null]).toEqual([true, true]);
});

it("a hamlet that told nothing yet shows no invented numbers", () => {
  const text = show(SiteCard, { site: site(), cameras: [camera({ state: "away" })] }).textContent ?? "";
  expect(text).toContain("Mất liên lạc");
  expect(text).toContain("chưa bao giờ");
  expect(text.match(/chưa biết/g)).toHaveLength(5);
  expect(text).toContain("0/1");
});

it("a hamlet says whether it may link, what it lacks, and that its machine was copied", () => {
  const told = (change: Partial<Site>) => {
    document.body.innerHTML = "";
    return show(SiteCard, { site: site(change), cameras: [] }).textContent ?? "";
  };
  const waiting = told({ enrolment: "waiting", code_expires: "2026-11-26T07:00:00Z" });
  expect(waiting).toContain("Chưa liên kết");
  expect(waiting).not.toContain("chưa biết");
  expect(told({ enrolment: "expired" })).toContain("Mã đã hết hạn");
  expect(told({ enrolment: "revoked" })).toContain("Đã thu hồi");
  expect(told({ lacks: ["new-key", "run"] })).toContain("đổi khóa từ xa, nhận ra máy bị sao chép");
  expect(told({ newer: true })).toContain("mới hơn máy chủ");
  const twin = { at: "2026-11-25T07:03:00Z", addresses: ["203.0.113.5", "198.51.100.7"] };
  expect(told({ twin })).toContain("203.0.113.5, 198.51.100.7");
  // Only an administrator, whose rights the server told, gets the buttons.
  expect(document.querySelector("button")).toBeNull();
});

it("a hamlet's id is made of its name", () => {
  expect(siteId("Xóm Khe Cốc")).toBe("khe-coc");
  expect(siteId("  thôn Đồng  Đậu 2 ")).toBe("dong-dau-2");
  expect(siteId("Xóm")).toBe("xom");
  expect(siteId("???")).toBe("");
  expect(isSiteId(siteId("Bản " + "Nà Hoàn ".repeat(20)))).toBe(true);
  expect(isSiteId("khe--coc")).toBe(false);
});

it("says of a hamlet's line what it has no room for, and what was let go for it", () => {
  const shed = { kind: "video", cause: "full", count: 1234, bytes: 9, first: "2026-11-20T02:00:00Z", last: "2026-11-22T02:00:00Z" } as const;
  const uplink = { live: "sub", limit_kbit: 4000, line_kbit: null, day_mb: 500, day_limit_mb: 2000, shed: [shed] } as const;
  const text = show(SiteUplink, { uplink: { ...uplink, shed: [shed] } }).textContent ?? "";
  expect(text).toContain("hình trực tiếp tạm dùng luồng phụ");
  expect(text).toContain("1.234 đoạn ghi dài đã bỏ vì chờ gửi quá nhiều");
  language.current = "en";
  flushSync();
  expect(document.body.textContent).toContain("1,234 long clips let go because too much waited to be sent");
  expect(document.body.textContent).toMatch(/500.MB of 2.GB used/);
});

it("says why every picture of a camera is decoded, in both languages", () => {
  const decoded = { camera: camera({ gate_reason: "b-frames", decoded_share: 1 }) };
  expect(show(StreamFigures, decoded).textContent).toContain("100 %");
  expect(document.body.textContent).toContain("khung B");
  language.current = "en";
  flushSync();
  expect(document.body.textContent).toContain("Every picture is decoded, because the stream has B-frames.");
});

it("says nothing of decoding where not every picture has to be", () => {
  expect(show(StreamFigures, { camera: camera() }).querySelector(".gate")).toBeNull();
});
