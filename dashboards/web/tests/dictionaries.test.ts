/** Both languages are complete. That they have the same keys, the type checker holds. */
import { expect, it } from "vitest";
import { en } from "../src/i18n/en";
import { vi } from "../src/i18n/vi";

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
  expect(same.map(([key]) => key).sort()).toEqual(["app.name", "event.camera", "menu.role"]);
  for (const [key, text] of english) expect(text.trim(), key).not.toBe("");
  expect(english.size).toBeGreaterThan(150);
});
