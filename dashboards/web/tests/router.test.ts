/** The address bar names the page. */
import { afterEach, expect, it } from "vitest";
import { parse, router } from "../src/lib/router.svelte";

afterEach(() => history.replaceState(null, "", "/"));

it("knows every page, and that others are none", () => {
  expect(parse("/")).toEqual({ page: "wall" });
  expect(parse("/cameras/khe-coc.cong-lang")).toEqual({ page: "camera", id: "khe-coc.cong-lang" });
  expect(parse("/cameras/khe-coc.cong-lang/lookback")).toEqual({ page: "lookback", id: "khe-coc.cong-lang" });
  expect(parse("/events/")).toEqual({ page: "events" });
  expect(parse("/events/01A")).toEqual({ page: "event", id: "01A" });
  expect(parse("/sites")).toEqual({ page: "sites" });
  for (const path of ["/nowhere", "/cameras", "/events/a/b", "/cameras/%E0%A4%A"]) {
    expect(parse(path)).toEqual({ page: "unknown" });
  }
});

function click(html: string, init: MouseEventInit = {}): boolean {
  document.body.innerHTML = html;
  const event = new MouseEvent("click", { bubbles: true, cancelable: true, ...init });
  document.querySelector("a")?.dispatchEvent(event);
  return event.defaultPrevented;
}

it("follows our own links and leaves all others to the browser", () => {
  const stop = router.start();
  expect(click('<a href="/events?camera=a.b">x</a>')).toBe(true);
  expect(router.route).toEqual({ page: "events" });
  expect(router.query.get("camera")).toBe("a.b");
  expect(click('<a href="/events/01A" >x</a>', { ctrlKey: true })).toBe(false);
  expect(click('<a href="/api/events/01A/clip.mp4" download>x</a>')).toBe(false);
  expect(click('<a href="https://example.org/">x</a>')).toBe(false);
  stop();
});
