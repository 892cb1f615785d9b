/** A zoomed picture always fills its frame, and what one points at stays where it is. */
import { expect, it } from "vitest";
import { moved, type Point, type View, WHOLE, zoomed } from "../src/lib/zoom";

/** Which place of the picture is seen at a place of the frame. */
const seen = ({ factor, x, y }: View, at: Point): Point => ({ x: (at.x - x) / factor, y: (at.y - y) / factor });

function fills({ factor, x, y }: View): void {
  for (const corner of [x, y]) {
    expect(corner).toBeLessThanOrEqual(0);
    expect(corner + factor).toBeGreaterThanOrEqual(1 - 1e-12);
  }
}

it("what is under the pointer stays there", () => {
  const at = { x: 0.7, y: 0.2 };
  const near = zoomed(zoomed(WHOLE, 2, at), 1.5, at);
  expect(near.factor).toBe(3);
  expect(seen(near, at).x).toBeCloseTo(0.7);
  expect(seen(near, at).y).toBeCloseTo(0.2);
  const other = { x: 0.1, y: 0.9 };
  const nearer = zoomed(near, 1.2, other);
  expect(seen(nearer, other).x).toBeCloseTo(seen(near, other).x);
  expect(seen(nearer, other).y).toBeCloseTo(seen(near, other).y);
});

it("it never leaves its frame, and goes back to the whole", () => {
  let view = zoomed(WHOLE, 4, { x: 1, y: 1 });
  fills(view);
  for (const [dx, dy] of [[-1, 0], [5, 5], [0.3, -9]] as const) fills((view = moved(view, dx, dy)));
  fills((view = zoomed(view, 0.5, { x: 0, y: 1 })));
  expect(zoomed(view, 0.1)).toEqual(WHOLE);
  expect(zoomed(WHOLE, 1.01)).toEqual(WHOLE);
});

it("there is a most", () => {
  expect(zoomed(zoomed(WHOLE, 7), 7).factor).toBe(8);
});
