/** Whether a key is meant for the page, and not for the browser, a dialog, or a field that one writes in. */
export function forPage(key: KeyboardEvent): boolean {
  if (key.defaultPrevented || key.ctrlKey || key.metaKey || key.altKey) return false;
  const at = key.target instanceof Element ? key.target : null;
  if (at?.closest("dialog, select, textarea")) return false;
  // A group of radio buttons has its own use for the arrows, and only for them.
  if (at instanceof HTMLInputElement) return at.type === "radio" && !key.key.startsWith("Arrow");
  return true;
}
