/** Light, dark, or as the system is. public/theme.js applies the choice before the first paint. */
import { keep, kept } from "./kept";

export type Theme = "system" | "light" | "dark";

const dark = matchMedia("(prefers-color-scheme: dark)");
const first = kept("theme");

let choice = $state<Theme>(first === "light" || first === "dark" ? first : "system");

function apply(): void {
  const isDark = choice === "dark" || (choice === "system" && dark.matches);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
}

dark.addEventListener("change", apply);

export const theme = {
  get choice(): Theme {
    return choice;
  },
  set choice(next: Theme) {
    choice = next;
    keep("theme", next === "system" ? null : next);
    apply();
  },
};
