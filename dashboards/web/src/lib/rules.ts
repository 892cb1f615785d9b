/** Rules of alerts: their parts, and a new one. */
import type { AlertKind, Rule } from "../api/types";

export const ABOUT: readonly AlertKind[] = ["motion", "tamper", "camera-away", "site-away", "disk", "clock", "flood"];
export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const MOST_SIGNS = 60;

export function newRule(): Rule {
  return {
    id: "",
    name: "",
    enabled: true,
    about: ["motion"],
    sites: [],
    cameras: [],
    zones: [],
    lines: [],
    hours: ["22:00-05:00"],
    days: [],
    holidays: "as-usual",
    quiet: [],
    lasts_s: 0,
    stays_s: 0,
    taller_than: 0,
    count: null,
    join_s: 120,
    cooldown_s: 0,
    urgency: "normal",
    tell: [],
  };
}

/** A name as an id that no other has: "Người ban đêm" → "nguoi-ban-dem". */
export function idOf(name: string, taken: readonly string[]): string {
  const plain = name
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/đ/g, "d")
    .replace(/Đ/g, "D")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, MOST_SIGNS - 4)
    .replace(/^-+|-+$/g, "");
  const base = plain || "quy-tac";
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!taken.includes(id)) return id;
  }
}

export function toggled<T>(list: readonly T[], value: T): T[] {
  return list.includes(value) ? list.filter((other) => other !== value) : [...list, value];
}
