/** Every text can be read: WCAG 2.2 AA, 4.5 to 1, in both themes. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync("src/styles/tokens.css", "utf8");

function tokens(selector: string): Map<string, string> {
  const block = css.slice(css.indexOf(`${selector} {`)).split("}")[0] ?? "";
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, colour]) => [name ?? "", colour ?? ""]));
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const light = tokens(":root");
const dark = new Map([...light, ...tokens(':root[data-theme="dark"]')]);

describe.each([
  ["light", light],
  ["dark", dark],
])("in the %s theme", (_, theme) => {
  it.each([
    ["ink", ["paper", "surface", "sunken", "brand-soft"]],
    ["ink-soft", ["paper", "surface", "sunken"]],
    ["brand", ["paper", "surface", "brand-soft"]],
    ["on-brand", ["brand", "brand-hover"]],
    ["move", ["paper", "surface", "move-soft"]],
    ["bad", ["paper", "surface", "bad-soft"]],
    ["ok", ["paper", "surface"]],
    ["bar-ink", ["bar", "night"]],
    ["bar-soft", ["bar", "night"]],
    ["draw-zone", ["night"]],
  ])("%s can be read", (ink, grounds) => {
    for (const ground of grounds) {
      expect(contrast(theme.get(ink) ?? "", theme.get(ground) ?? ""), `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("borders of fields and the focus can be seen (3 to 1)", () => {
    for (const edge of ["line-strong", "focus"]) {
      expect(contrast(theme.get(edge) ?? "", theme.get("surface") ?? ""), edge).toBeGreaterThanOrEqual(3);
    }
  });
});
