/** How the wall's tiles lie on a screen. Lengths are CSS px; a ratio is width to height. */

/** How many tiles a page of the wall may have. */
export const COUNTS = [1, 4, 9, 16] as const;
export type Count = (typeof COUNTS)[number];

export interface Grid {
  columns: number;
  /** A tile's width. */
  tile: number;
  /** Whether all rows are in sight at once; else the page scrolls, at tiles of a size that shows something. */
  fits: boolean;
}

/** Narrower than this is a phone. */
export const NARROW_PX = 560;
const LOW_PX = 380;
/** Smaller tiles show nothing. */
const LEAST_PX = 120;
const PHONE_MOST = 9;
const WIDEST = 16 / 9;

/** The fewest tiles that show all cameras, as far as the screen is large enough for them. */
export function usualCount(cameras: number, width: number): Count {
  const possible = COUNTS.filter((count) => width >= NARROW_PX || count <= PHONE_MOST);
  return possible.find((count) => count >= cameras) ?? (possible.at(-1) as Count);
}

/**
 * The largest tiles of a ratio that fit into an area. A phone has no room for that: it gets columns of a useful width
 * and scrolls, unless `always`.
 */
export function gridOf(tiles: number, ratio: number, area: { width: number; height: number }, gap: number, always = false): Grid {
  let best: Grid = { columns: 1, tile: 0, fits: true };
  for (let columns = 1; columns <= tiles; columns += 1) {
    const high = share(area.height, Math.ceil(tiles / columns), gap);
    const tile = Math.floor(Math.min(share(area.width, columns, gap), high * ratio));
    if (tile > best.tile) best = { columns, tile, fits: true };
  }
  const narrow = area.width < NARROW_PX;
  const phone = narrow || (area.height < LOW_PX && tiles > 1) || best.tile < LEAST_PX;
  if (!phone || always) return best;
  const columns = narrow ? (tiles > 4 ? 2 : 1) : Math.ceil(Math.sqrt(tiles));
  return { columns, tile: share(area.width, columns, gap), fits: false };
}

/** The tiles' ratio: that of most pictures, so that few have bars beside them; none is ever stretched. */
export function usualRatio(pictures: readonly { width: number; height: number }[]): number {
  const ratios = pictures.filter(({ width, height }) => width && height).map(({ width, height }) => width / height);
  const middle = ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? WIDEST;
  return Math.min(Math.max(middle, 1), WIDEST);
}

const share = (length: number, parts: number, gap: number) => Math.max(0, (length - gap * (parts - 1)) / parts);
