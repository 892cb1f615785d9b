/** A part of a picture, seen larger. Lengths are fractions of the frame that the picture lies in. */
export interface View {
  readonly factor: number;
  /** Where the picture's left upper corner lies: from 0 to 1 - factor, so that the picture always fills its frame. */
  readonly x: number;
  readonly y: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const WHOLE: View = { factor: 1, x: 0, y: 0 };
export const MIDDLE: Point = { x: 0.5, y: 0.5 };
const MOST = 8;
/** So little is a slip of the finger. */
const LEAST = 1.02;

/** So many times larger; what is seen at a point of the frame stays there. */
export function zoomed(view: View, times: number, at: Point = MIDDLE): View {
  const factor = Math.min(view.factor * times, MOST);
  if (factor < LEAST) return WHOLE;
  const by = factor / view.factor;
  return within({ factor, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by });
}

/** The picture moved by so much. */
export function moved(view: View, dx: number, dy: number): View {
  return within({ factor: view.factor, x: view.x + dx, y: view.y + dy });
}

function within({ factor, x, y }: View): View {
  const clamp = (value: number) => Math.min(0, Math.max(1 - factor, value));
  return { factor, x: clamp(x), y: clamp(y) };
}
