/** Whether this browser is told of alerts while the dashboard is closed: Web Push. */
import * as api from "../api/client";
import type { Device } from "../api/types";
import type { Language } from "../i18n/index.svelte";
import { keep, kept } from "./kept";

const WORKER = "/sw.js";
/** The id of this browser's subscription at the server, and whose it is. */
const ID = "push";
const OWNER = "push-user";
const ENDPOINT = "push-endpoint";
/** A network that lets nothing through to the browser's push service answers nothing at all. */
const SUBSCRIBE_MS = 20_000;
/** The window hears it when this browser is told from now on, or no more. */
export const PUSH_CHANGED = "push-changed";

/** Why a browser cannot be told: it has none of this, the page is not by https, an iPhone wants it installed first. */
export type Unable = "unsupported" | "insecure" | "iphone";
export type PushState = "off" | "on" | "denied" | Unable;

/** The id of this browser among those that are told. */
export const thisDevice = (): string | null => kept(ID);

export async function pushState(user: string): Promise<PushState> {
  const unable = whyUnable();
  if (unable) return unable;
  if (Notification.permission === "denied") return "denied";
  return kept(ID) && kept(OWNER) === user && (await current()) ? "on" : "off";
}

/** Asks the reader, then the browser's push service, then tells the server. Rejects where one of them refuses. */
export async function switchOn(user: string, language: Language): Promise<PushState> {
  if ((await Notification.requestPermission()) !== "granted") {
    return Notification.permission === "denied" ? "denied" : "off";
  }
  await navigator.serviceWorker.register(WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  const key = bytes(await api.pushKey());
  let there = await pushManager.getSubscription();
  const replaces = kept(ENDPOINT);
  // A subscription for another server's key is of no use.
  if (there && !same(there.options.applicationServerKey, key)) {
    await there.unsubscribe();
    there = null;
  }
  there ??= await within(SUBSCRIBE_MS, pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  const { endpoint = "", keys = {} } = there.toJSON();
  const { p256dh = "", auth = "" } = keys;
  const device = navigator.userAgent.slice(0, 200);
  const { id } = await api.subscribe({ endpoint, p256dh, auth, language, device, replaces });
  keepAll(id, user, endpoint);
  return "on";
}

/**
 * Keeps true what the server knows of this browser: its language, its address, the server's key. Gives false where
 * it was told until now and is no more: removed on another device, or lost by the push service.
 */
export async function refresh(user: string, language: Language): Promise<boolean> {
  const id = kept(ID);
  if (whyUnable() || !id || kept(OWNER) !== user) return true;
  const there = (await api.devices()).some((device) => device.id === id);
  if (there && Notification.permission === "granted") await switchOn(user, language);
  else await switchOff();
  return there;
}

export async function switchOff(): Promise<PushState> {
  const id = kept(ID);
  keepAll(null, null, null);
  const gone = whyUnable() ? undefined : (await current())?.unsubscribe();
  await Promise.allSettled([gone, id && api.unsubscribe(id)]);
  return "off";
}

/** What is shown on the page need not stay among the phone's notifications. */
export async function seen(alert: string): Promise<void> {
  if (whyUnable()) return;
  const worker = await navigator.serviceWorker.getRegistration(WORKER);
  for (const shown of (await worker?.getNotifications({ tag: alert })) ?? []) shown.close();
}

/** "Chrome, Android", as far as the browser's own name tells it. */
export function deviceName({ device }: Device): string {
  const found = (names: [RegExp, string][]) => names.find(([sign]) => sign.test(device))?.[1];
  const browser = found([[/Edg/, "Edge"], [/coc_coc/i, "Cốc Cốc"], [/SamsungBrowser/, "Samsung"], [/Firefox|FxiOS/, "Firefox"], [/Chrome|CriOS/, "Chrome"], [/Safari/, "Safari"]]);
  const system = found([[/Android/, "Android"], [/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Windows/, "Windows"], [/Mac OS/, "Mac"], [/Linux|CrOS/, "Linux"]]);
  return [browser, system].filter(Boolean).join(", ") || device.slice(0, 40);
}

function whyUnable(): Unable | null {
  const installed = matchMedia("(display-mode: standalone)").matches;
  // An iPad calls itself a Mac, but is touched.
  const apple = /iPhone|iPad/.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
  if (!isSecureContext) return "insecure";
  if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) return null;
  return apple && !installed ? "iphone" : "unsupported";
}

function keepAll(id: string | null, owner: string | null, endpoint: string | null): void {
  keep(ID, id);
  keep(OWNER, owner);
  keep(ENDPOINT, endpoint);
  dispatchEvent(new Event(PUSH_CHANGED));
}

async function current(): Promise<PushSubscription | null> {
  const worker = await navigator.serviceWorker.getRegistration(WORKER);
  return (await worker?.pushManager.getSubscription()) ?? null;
}

function within<T>(ms: number, what: Promise<T>): Promise<T> {
  return Promise.race([what, new Promise<never>((_, reject) => setTimeout(() => reject(new Error("no answer")), ms))]);
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function same(given: ArrayBuffer | null, key: Uint8Array): boolean {
  const there = new Uint8Array(given ?? new ArrayBuffer(0));
  return there.length === key.length && there.every((byte, i) => byte === key[i]);
}
