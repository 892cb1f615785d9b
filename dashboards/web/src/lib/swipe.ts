import type { Attachment } from "svelte/attachments";

const LEAST_PX = 50;

/** Tells of a finger's quick way to the left (1, on) or to the right (-1, back). The element needs `touch-action: pan-y`. */
export function swipe(tell: (by: 1 | -1) => void): Attachment<HTMLElement> {
  return (element) => {
    let from: { id: number; x: number; y: number } | null = null;
    const down = (finger: PointerEvent) => {
      // A second finger makes it something else.
      from = finger.pointerType === "touch" && finger.isPrimary ? { id: finger.pointerId, x: finger.clientX, y: finger.clientY } : null;
    };
    const up = (finger: PointerEvent) => {
      if (from?.id !== finger.pointerId) return;
      const dx = finger.clientX - from.x;
      const sideways = Math.abs(dx) > LEAST_PX && Math.abs(dx) > 2 * Math.abs(finger.clientY - from.y);
      from = null;
      if (sideways) tell(dx < 0 ? 1 : -1);
    };
    const cancel = () => (from = null);
    element.addEventListener("pointerdown", down);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", cancel);
    return () => {
      element.removeEventListener("pointerdown", down);
      element.removeEventListener("pointerup", up);
      element.removeEventListener("pointercancel", cancel);
    };
  };
}
