/** A choice outlives the page where the browser keeps things, and lasts for the page where it does not. */
import { afterEach, expect, it, vi } from "vitest";
import { keep, kept } from "../src/lib/kept";

afterEach(() => {
  vi.unstubAllGlobals();
  localStorage.clear();
});

const no = () => {
  throw new DOMException("no", "QuotaExceededError");
};

it("is stored", () => {
  keep("tiles", "9");
  expect(localStorage.getItem("tiles")).toBe("9");
  keep("tiles", null);
  expect(kept("tiles")).toBeNull();
});

it("lasts for the page where storage is full, over what was stored before", () => {
  keep("tiles", "9");
  vi.stubGlobal("localStorage", { getItem: () => "9", setItem: no, removeItem: no });
  keep("tiles", "16");
  expect(kept("tiles")).toBe("16");
  keep("tiles", null);
  expect(kept("tiles")).toBeNull();
});

it("lasts for the page where storage is forbidden", () => {
  vi.stubGlobal("localStorage", { getItem: no, setItem: no, removeItem: no });
  expect(kept("zones")).toBeNull();
  keep("zones", "on");
  expect(kept("zones")).toBe("on");
});
