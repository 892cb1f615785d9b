/** Whether this browser is told of alerts while the dashboard is closed: Web Push. */
import * as api from "../api/client";
import type { Language } from "../i18n/index.svelte";
import { keep, kept } from "./kept";

const WORKER = "/sw.js";
/** The id of this browser's subscription at the server. */
const KEPT = "push";

export type PushState = "off" | "on" | "denied" | "unsupported";

/** Browsers push to pages of https (and of this very machine) alone; iPhones to installed pages alone. */
export function supported(): boolean {
  return isSecureContext && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

export async function pushState(): Promise<PushState> {
  if (!supported()) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  const worker = await navigator.serviceWorker.getRegistration(WORKER);
  const subscribed = await worker?.pushManager.getSubscription();
  return subscribed && kept(KEPT) ? "on" : "off";
}

/** Asks the reader, then the browser's push service, then tells the server. Rejects where one of them refuses. */
export async function switchOn(language: Language): Promise<PushState> {
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  const worker = await navigator.serviceWorker.register(WORKER);
  await navigator.serviceWorker.ready;
  const key = bytes(await api.pushKey());
  const there = await worker.pushManager.getSubscription();
  // A subscription for another server's key is of no use.
  if (there && !same(there.options.applicationServerKey, key)) await there.unsubscribe();
  const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint, keys } = subscription.toJSON();
  const { id } = await api.subscribe({
    endpoint: endpoint ?? "",
    p256dh: keys?.p256dh ?? "",
    auth: keys?.auth ?? "",
    language,
    device: navigator.userAgent.slice(0, 200),
  });
  keep(KEPT, id);
  return "on";
}

export async function switchOff(): Promise<PushState> {
  const worker = await navigator.serviceWorker.getRegistration(WORKER);
  await (await worker?.pushManager.getSubscription())?.unsubscribe();
  const id = kept(KEPT);
  keep(KEPT, null);
  // The server lets it go by itself when the push service says that nobody is there.
  if (id) await api.unsubscribe(id).catch(() => undefined);
  return "off";
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function same(given: ArrayBuffer | null, key: Uint8Array): boolean {
  const there = new Uint8Array(given ?? new ArrayBuffer(0));
  return there.length === key.length && there.every((byte, i) => byte === key[i]);
}
