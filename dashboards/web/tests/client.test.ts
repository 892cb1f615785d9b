/** Errors reach people as what they are. */
import { afterEach, expect, it, vi } from "vitest";
import * as api from "../src/api/client";
import { language, words } from "../src/i18n/index.svelte";

afterEach(() => vi.unstubAllGlobals());

function answer(status: number, body: unknown, headers: Record<string, string> = {}): void {
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify(body), { status, headers }));
}

async function failure(doing: Promise<unknown>): Promise<api.ApiError> {
  const error: unknown = await doing.then(() => null, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(api.ApiError);
  return error as api.ApiError;
}

it("carries status, words and waiting time of a problem", async () => {
  answer(429, { detail: "Too many tries; wait 20 s." }, { "Retry-After": "20" });
  const error = await failure(api.signIn("a", "b"));
  expect([error.status, error.detail, error.retryAfterS]).toEqual([429, "Too many tries; wait 20 s.", 20]);
});

it("carries why a stream cannot be watched", async () => {
  answer(503, { detail: "The camera sends H.265.", code: "codec" });
  expect((await failure(api.camera("a.b"))).code).toBe("codec");
});

it("knows a server that cannot be reached, and one that answers nonsense", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  expect((await failure(api.cameras())).status).toBe(0);
  vi.stubGlobal("fetch", async () => new Response("<h1>Bad gateway</h1>", { status: 502 }));
  expect((await failure(api.cameras())).status).toBe(502);
});

it("tells once that the session is over, but not for a wrong password", async () => {
  const over = vi.fn();
  api.onSignedOut(over);
  answer(401, {});
  await failure(api.signIn("a", "b"));
  expect(over).not.toHaveBeenCalled();
  await failure(api.cameras());
  expect(over).toHaveBeenCalledOnce();
});

it("asks for events by what is given alone", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    return new Response('{"events": [], "next": null}');
  });
  await api.events({ camera: "a.b", zone: "Lòng đường", limit: 5 });
  expect(asked).toEqual(["/api/events?camera=a.b&zone=L%C3%B2ng+%C4%91%C6%B0%E1%BB%9Dng&limit=5"]);
});

it("says what went wrong in the reader's language", () => {
  language.current = "en";
  expect(words(new api.ApiError(0, ""))).toContain("can't be reached");
  language.current = "vi";
  expect(words(new api.ApiError(0, ""))).toContain("Không liên lạc được");
  expect(words(new Error("a bug"))).not.toBe("");
});
