/** One tap says what an event was; who may not say it sees what was said; what failed is not shown as said. */
import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { HubEvent } from "../src/api/types";
import EventCard from "../src/components/EventCard.svelte";
import VerdictPanel from "../src/components/VerdictPanel.svelte";
import { language } from "../src/i18n/index.svelte";
import { session } from "../src/lib/session.svelte";
import { TOAST } from "../src/lib/toast";
import { event } from "./support";

const SAID = { verdict: "false", note: "mèo nhà", by: "Công an xã", at: "2026-11-25T07:09:00Z" } as const;

let shown: Record<string, unknown> | null = null;
let told: HubEvent[] = [];

function show(of: HubEvent, rights: string[]): HTMLElement {
  vi.spyOn(session, "may").mockImplementation((right) => rights.includes(right));
  shown = mount(VerdictPanel, { target: document.body, props: { event: of, onsaid: (now: HubEvent) => told.push(now) } });
  flushSync();
  return document.body;
}

const button = (verdict: string) => document.querySelector<HTMLButtonElement>(`button[data-verdict=${verdict}]`);

function answer(status: number, body: unknown): { method: string; body: unknown }[] {
  const asked: { method: string; body: unknown }[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    expect(url).toBe("/api/events/01A/verdict");
    asked.push({ method: init.method ?? "GET", body: init.body ? JSON.parse(String(init.body)) : null });
    return new Response(JSON.stringify(body), { status });
  });
  return asked;
}

beforeEach(() => {
  language.current = "vi";
  told = [];
});
afterEach(() => {
  if (shown) void unmount(shown);
  document.body.innerHTML = "";
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

it("one tap says it, and shows at once that it was heard", async () => {
  const now = event({ verdict: { ...SAID, note: "" } });
  const asked = answer(200, now);
  show(event(), ["verdicts"]);
  button("false")?.click();
  flushSync();
  expect(button("false")?.getAttribute("aria-pressed")).toBe("true");
  expect(button("real")?.getAttribute("aria-pressed")).toBe("false");
  await vi.waitFor(() => expect(told).toEqual([now]));
  expect(asked).toEqual([{ method: "PUT", body: { verdict: "false", note: "" } }]);
});

it("says who said what, and a second tap by mistake changes nothing", () => {
  const asked = answer(200, event());
  const text = show(event({ verdict: SAID }), ["verdicts"]).textContent ?? "";
  expect(text).toContain("Công an xã");
  expect(text).toContain("mèo nhà");
  expect(button("false")?.getAttribute("aria-pressed")).toBe("true");
  button("false")?.click();
  expect(asked).toEqual([]);
});

it("can be taken back", async () => {
  const asked = answer(200, event());
  show(event({ verdict: SAID }), ["verdicts"]);
  [...document.querySelectorAll("button")].find((other) => other.textContent === "Rút lại")?.click();
  await vi.waitFor(() => expect(told).toEqual([event()]));
  expect(asked).toEqual([{ method: "DELETE", body: null }]);
});

it("a note goes with the verdict that stands", async () => {
  const asked = answer(200, event({ verdict: SAID }));
  show(event({ verdict: SAID }), ["verdicts"]);
  [...document.querySelectorAll("button")].find((other) => other.textContent?.includes("Sửa ghi chú"))?.click();
  flushSync();
  const input = document.querySelector("input");
  expect(input?.value).toBe("mèo nhà");
  if (input) input.value = " lá chuối ";
  input?.dispatchEvent(new Event("input", { bubbles: true }));
  document.querySelector("form")?.dispatchEvent(new Event("submit", { cancelable: true, bubbles: true }));
  await vi.waitFor(() => expect(told).toHaveLength(1));
  expect(asked).toEqual([{ method: "PUT", body: { verdict: "false", note: "lá chuối" } }]);
});

it("what the server refused is not shown as said, and the reader is told", async () => {
  answer(403, { detail: "no", code: "no-right" });
  const toasts: string[] = [];
  addEventListener(TOAST, (toast) => toasts.push((toast as CustomEvent<string>).detail), { once: true });
  show(event(), ["verdicts"]);
  button("real")?.click();
  await vi.waitFor(() => expect(toasts).toHaveLength(1));
  flushSync();
  expect(button("real")?.getAttribute("aria-pressed")).toBe("false");
  expect(told).toEqual([]);
});

it("who may not judge sees what was said, and no buttons", () => {
  expect(show(event(), []).textContent?.trim()).toBe("");
  document.body.innerHTML = "";
  const text = show(event({ verdict: SAID }), []).textContent ?? "";
  expect(text).toContain("Báo nhầm");
  expect(text).toContain("Công an xã");
  expect(document.querySelector("button")).toBeNull();
});

it("a card in a list says what was said, in the reader's language", () => {
  language.current = "en";
  shown = mount(EventCard, { target: document.body, props: { event: event({ verdict: SAID }) } });
  flushSync();
  expect(document.querySelector("[data-verdict=false]")?.textContent).toContain("False alarm");
});
