/** Digital zoom by wheel, fingers, double tap and keys, for one picture. */
import type { Attachment } from "svelte/attachments";
import { forPage } from "./keys";
import { moved, type Point, type View, WHOLE, zoomed } from "./zoom";

const STEP = 1.5;
const DOUBLE = 2.5;
const DOUBLE_MS = 350;
const DOUBLE_PX = 30;
const DRAG_PX = 8;
const LINE_PX = 20;
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [0.2, 0],
  ArrowRight: [-0.2, 0],
  ArrowUp: [0, 0.2],
  ArrowDown: [0, -0.2],
};

export class Zooming {
  view = $state.raw<View>(WHOLE);

  get on(): boolean {
    return this.view.factor > 1;
  }

  /** For pictures whose transform's origin is their left upper corner. */
  get transform(): string {
    const { factor, x, y } = this.view;
    return this.on ? `translate(${x * 100}%, ${y * 100}%) scale(${factor})` : "none";
  }

  larger = (): void => void (this.view = zoomed(this.view, STEP));
  smaller = (): void => void (this.view = zoomed(this.view, 1 / STEP));
  reset = (): void => void (this.view = WHOLE);

  /** Does what a key says, if it is one of ours: + - 0, and the arrows over a part. */
  press = (key: KeyboardEvent): boolean => {
    if (!forPage(key)) return false;
    const arrow = this.on ? ARROWS[key.key] : undefined;
    if (key.key === "+" || key.key === "=") this.larger();
    else if (key.key === "-") this.smaller();
    else if (key.key === "0") this.reset();
    else if (arrow) this.view = moved(this.view, ...arrow);
    else return false;
    key.preventDefault();
    return true;
  };

  /**
   * Attach it to the frame, with `touch-action: none` while `on` and `pan-y` otherwise: one finger scrolls the page until
   * the picture is zoomed, then it moves the picture.
   */
  gestures: Attachment<HTMLElement> = (frame) => {
    const fingers = new Map<number, PointerEvent>();
    let way = 0; // how far the fingers went since the first came down, px
    let tap: PointerEvent | null = null;

    const at = (places: { clientX: number; clientY: number }[]): Point => {
      const box = frame.getBoundingClientRect();
      const mean = (of: number[]) => of.reduce((sum, one) => sum + one, 0) / of.length;
      return {
        x: (mean(places.map((place) => place.clientX)) - box.left) / box.width,
        y: (mean(places.map((place) => place.clientY)) - box.top) / box.height,
      };
    };
    const spread = ([a, b]: PointerEvent[]) => (a && b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) : 0);

    const down = (finger: PointerEvent) => {
      if (finger.button !== 0 || fingers.size === 2) return;
      way = fingers.size ? DRAG_PX + 1 : 0;
      fingers.set(finger.pointerId, finger);
    };
    const move = (finger: PointerEvent) => {
      const last = fingers.get(finger.pointerId);
      if (!last) return;
      const before = [...fingers.values()];
      fingers.set(finger.pointerId, finger);
      const after = [...fingers.values()];
      way += Math.hypot(finger.clientX - last.clientX, finger.clientY - last.clientY);
      if (way > DRAG_PX && this.on) frame.setPointerCapture(finger.pointerId);
      const [from, to] = [at(before), at(after)];
      if (before.length === 2) this.view = zoomed(this.view, spread(after) / Math.max(1, spread(before)), from);
      if (this.on) this.view = moved(this.view, to.x - from.x, to.y - from.y);
    };
    const up = (finger: PointerEvent) => {
      if (!fingers.delete(finger.pointerId) || way > DRAG_PX) return;
      if (tap && finger.timeStamp - tap.timeStamp < DOUBLE_MS && spread([tap, finger]) < DOUBLE_PX) {
        this.view = this.on ? WHOLE : zoomed(this.view, DOUBLE, at([finger]));
        tap = null;
      } else tap = finger;
    };
    const cancel = (finger: PointerEvent) => void fingers.delete(finger.pointerId);
    // The end of a drag opens nothing.
    const click = (click: MouseEvent) => {
      if (way <= DRAG_PX || click.detail === 0) return;
      click.preventDefault();
      click.stopPropagation();
    };
    const wheel = (wheel: WheelEvent) => {
      // The whole picture cannot become smaller: the page scrolls.
      if (!this.on && wheel.deltaY >= 0) return;
      wheel.preventDefault();
      const px = wheel.deltaY * (wheel.deltaMode ? LINE_PX : 1) * (wheel.ctrlKey ? 5 : 1);
      this.view = zoomed(this.view, Math.exp(-Math.max(-200, Math.min(200, px)) * 0.002), at([wheel]));
    };
    // What `touch-action` was at a finger's start holds to its end: this is for the second finger.
    const touch = (touch: TouchEvent) => {
      if (touch.cancelable && (touch.touches.length > 1 || this.on)) touch.preventDefault();
    };
    const drag = (drag: Event) => drag.preventDefault();

    const all: [string, (event: never) => void, AddEventListenerOptions?][] = [
      ["pointerdown", down],
      ["pointermove", move],
      ["pointerup", up],
      ["pointercancel", cancel],
      ["pointerleave", cancel],
      ["click", click, { capture: true }],
      ["wheel", wheel, { passive: false }],
      ["touchmove", touch, { passive: false }],
      ["dragstart", drag],
    ];
    for (const [kind, act, how] of all) frame.addEventListener(kind, act as EventListener, how);
    return () => {
      for (const [kind, act, how] of all) frame.removeEventListener(kind, act as EventListener, how);
    };
  };
}
