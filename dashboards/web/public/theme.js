// Runs before the first paint, so that a dark page never flashes white. It is a file of its own because
// the content security policy forbids inline scripts. src/lib/theme.svelte.ts keeps the choice.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem("theme");
  } catch (e) {
    // Storage is switched off: follow the system.
  }
  var dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
