/** The events page's filters: as the address bar keeps them, and as the API takes them. */
import type { EventQuery } from "../api/client";
import type { EventKind } from "../api/types";
import { dayBounds } from "../i18n/format";

export interface Filters {
  camera: string;
  zone: string;
  kind: string;
  /** A calendar day of the reader, 2026-11-25. */
  day: string;
}

const KEYS = ["camera", "zone", "kind", "day"] as const;

export function readFilters(query: URLSearchParams): Filters {
  const of = (key: (typeof KEYS)[number]) => query.get(key) ?? "";
  return { camera: of("camera"), zone: of("zone"), kind: of("kind"), day: of("day") };
}

export function writeFilters(filters: Filters): URLSearchParams {
  return new URLSearchParams(KEYS.filter((key) => filters[key]).map((key) => [key, filters[key]]));
}

export function toQuery({ camera, zone, kind, day }: Filters): EventQuery {
  const isKind = (text: string): text is EventKind => text === "motion" || text === "tamper";
  return {
    ...(camera && { camera }),
    ...(zone && { zone }),
    ...(isKind(kind) && { kind }),
    ...dayBounds(day),
  };
}
