/** What is fetched and what is told meanwhile. */
import { expect, it, vi } from "vitest";
import type { Alert } from "../src/api/types";
import type { Updates } from "../src/api/updates";
import { Loaded } from "../src/lib/loaded.svelte";
import { newAlerts } from "../src/lib/new-alerts.svelte";

class Telling {
  private readonly listeners: [string, (what: unknown) => void][] = [];

  on = (kind: string, listener: (what: unknown) => void) => {
    this.listeners.push([kind, listener]);
    return () => undefined;
  };

  tell(kind: string, what?: unknown): void {
    for (const [other, listener] of this.listeners) if (other === kind) listener(what);
  }
}

it("an answer that news has overtaken is asked for again", async () => {
  const telling = new Telling();
  const answers: ((value: string) => void)[] = [];
  const loaded = new Loaded(() => new Promise<string>((resolve) => answers.push(resolve)));
  const end = loaded.follow(telling as unknown as Updates);
  telling.tell("alert");
  answers[0]?.("before the alert");
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.("with the alert");
  await vi.waitFor(() => expect(loaded.value).toBe("with the alert"));
  telling.tell("renewed");
  answers[2]?.("without news");
  await vi.waitFor(() => expect(loaded.value).toBe("without news"));
  await Promise.resolve();
  expect(answers).toHaveLength(3);
  end();
});

it("an alert that is told while the others are asked for is counted", async () => {
  const telling = new Telling();
  let answer: (value: Response) => void = () => undefined;
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => (answer = resolve)));
  const end = newAlerts.follow(telling as unknown as Updates);
  telling.tell("alert", { id: "told", state: "new" } as Alert);
  answer(new Response(JSON.stringify({ alerts: [{ id: "found", state: "new" }], next: null })));
  await vi.waitFor(() => expect(newAlerts.count).toBe(2));
  telling.tell("alert", { id: "told", state: "closed" } as Alert);
  expect(newAlerts.count).toBe(1);
  end();
  vi.unstubAllGlobals();
});
