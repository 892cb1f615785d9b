/** Says something short to the user, wherever they are; components/Toasts.svelte shows it. */
export const TOAST = "camera-hub:toast";

export function toast(text: string): void {
  dispatchEvent(new CustomEvent<string>(TOAST, { detail: text }));
}
