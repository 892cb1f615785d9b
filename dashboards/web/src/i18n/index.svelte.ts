/** The reader's language: `t()` gives its words and `f()` its formats, kept up to date in templates. */
import { ApiError } from "../api/client";
import type { Camera, HubEvent } from "../api/types";
import { keep, kept } from "../lib/kept";
import { en } from "./en";
import { Format } from "./format";
import { type Dictionary, vi } from "./vi";

export type Language = "vi" | "en";

const known = {
  vi: { words: vi, format: new Format("vi-VN", vi.time) },
  en: { words: en, format: new Format("en-GB", en.time) },
};

// Vietnamese unless the reader chose otherwise: a phone sold with an English menu is still a villager's.
const first: Language = kept("language") === "en" ? "en" : "vi";
let chosen = $state(first);
document.documentElement.lang = first;

export const language = {
  get current(): Language {
    return chosen;
  },
  set current(next: Language) {
    chosen = next;
    keep("language", next);
    document.documentElement.lang = next;
  },
};

export const t = (): Dictionary => known[chosen].words;
export const f = (): Format => known[chosen].format;

/** What is wrong with a camera and what to do, in the reader's language; what its state means where no cause is known. */
export function causeWords(camera: Camera): string {
  const { cause, cause_detail: detail, cause_stream: stream, state } = camera;
  if (cause === null) return t().camera.help[state];
  const said = t().camera.cause[cause];
  const text = typeof said === "function" ? said(detail) : said;
  return stream ? t().camera.ofStream[stream](text) : text;
}

/** What an event is: movement, or what was done to the camera. */
export function eventWords(event: HubEvent): string {
  return event.cause ? t().event.tamper[event.cause] : t().event.kind[event.kind];
}

/** What went wrong, in the reader's language, with what to do. */
export function words(error: unknown): string {
  const errors = t().errors;
  if (!(error instanceof ApiError)) return errors.other(0);
  if (error.code === "site-exists") return t().sites.form.exists;
  if (error.code === "site-not-ready") return t().sites.notReady;
  if (error.code === "site-in-config") return t().sites.inConfig;
  switch (error.status) {
    case 0:
      return errors.unreachable;
    case 403:
      return errors.forbidden;
    case 404:
      return errors.missing;
    case 429:
      return errors.limited;
    case 503:
      return errors.unavailable;
    default:
      return errors.other(error.status);
  }
}
