/**
 * The server's HTTP API as typed functions. Each rejects with an `ApiError`; status 0 means that the
 * server could not be reached. A 401 anywhere but at sign-in is told to `onSignedOut` as well.
 */
import type {
  Alert,
  AlertPage,
  AlertState,
  AlertWhole,
  Camera,
  Channel,
  Delivery,
  Device,
  EventKind,
  EventPage,
  HubEvent,
  LanguageTexts,
  MadeChannel,
  NewChannel,
  NewCode,
  NewSubscription,
  Person,
  ProblemCode,
  Recordings,
  Rule,
  Session,
  SettingsChange,
  Site,
  StoredRule,
  StreamName,
  Texts,
  TextsPreview,
  Trial,
  Verdict,
} from "./types";

const TIMEOUT_MS = 15_000;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly retryAfterS: number | null = null,
    /** Why, for programs. */
    readonly code: ProblemCode | null = null,
  ) {
    super(detail || `HTTP ${status}`);
  }
}

let signedOut: () => void = () => undefined;

export function onSignedOut(tell: () => void): void {
  signedOut = tell;
}

interface Options {
  method?: string;
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
}

/** One request, with a time limit and with errors as `ApiError`. */
export async function request(path: string, options: Options = {}): Promise<Response> {
  const { method = "GET", json, body, headers = {}, signal, timeoutMs = TIMEOUT_MS } = options;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  const forward = () => abort.abort();
  signal?.addEventListener("abort", forward);
  if (signal?.aborted) abort.abort();
  try {
    const init: RequestInit = { method, headers: { ...headers }, signal: abort.signal, credentials: "same-origin" };
    if (json !== undefined) {
      init.body = JSON.stringify(json);
      init.headers = { ...headers, "Content-Type": "application/json" };
    } else if (body !== undefined) init.body = body;
    const response = await fetch(path, init).catch((error: unknown) => {
      throw signal?.aborted ? error : new ApiError(0, "");
    });
    if (!response.ok) throw await problem(response, path);
    return response;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", forward);
  }
}

/** Reads application/problem+json (RFC 9457); anything else gives an error without detail. */
async function problem(response: Response, path: string): Promise<ApiError> {
  if (response.status === 401 && path !== "/api/login") signedOut();
  const body: unknown = await response.json().catch(() => null);
  const { detail, code } = (typeof body === "object" && body !== null ? body : {}) as { detail?: unknown; code?: ProblemCode };
  const retry = Number(response.headers.get("Retry-After"));
  const words = typeof detail === "string" ? detail : "";
  return new ApiError(response.status, words, retry > 0 ? retry : null, code ?? null);
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request(path, { signal })).json()) as T;
}

const id = encodeURIComponent;

export const session = (): Promise<Session> => get("/api/session");

export async function signIn(username: string, password: string): Promise<Session> {
  const response = await request("/api/login", { method: "POST", json: { username, password } });
  return (await response.json()) as Session;
}

export async function signOut(): Promise<void> {
  await request("/api/logout", { method: "POST" });
}

export async function changePassword(current: string, next: string): Promise<void> {
  await request("/api/password", { method: "POST", json: { current, new: next } });
}

/** The server's clock, ms since 1970. */
export const clock = async (): Promise<number> => (await get<{ now_us: number }>("/api/clock")).now_us / 1_000;

export const version = (): Promise<{ version: string }> => get("/api/version");

export async function sites(signal?: AbortSignal): Promise<Site[]> {
  return (await get<{ sites: Site[] }>("/api/sites", signal)).sites;
}

/** Makes a hamlet; gives its one-time code. */
export async function addSite(site: string, name: string): Promise<NewCode> {
  return (await (await request("/api/sites", { method: "POST", json: { id: site, name } })).json()) as NewCode;
}

/** Another one-time code for a hamlet. */
export async function newCode(site: string): Promise<NewCode> {
  return (await (await request(`/api/sites/${id(site)}/code`, { method: "POST" })).json()) as NewCode;
}

export async function changeKey(site: string): Promise<void> {
  await request(`/api/sites/${id(site)}/new-key`, { method: "POST" });
}

export async function revokeSite(site: string, revoked: boolean): Promise<void> {
  await request(`/api/sites/${id(site)}`, { method: "PATCH", json: { revoked } });
}

export async function removeSite(site: string): Promise<void> {
  await request(`/api/sites/${id(site)}`, { method: "DELETE" });
}

export async function cameras(signal?: AbortSignal): Promise<Camera[]> {
  return (await get<{ cameras: Camera[] }>("/api/cameras", signal)).cameras;
}

export const camera = (camera: string, signal?: AbortSignal): Promise<Camera> =>
  get(`/api/cameras/${id(camera)}`, signal);

/** Which times of a camera are recorded, between two instants in ms since 1970. */
export function recordings(camera: string, from: number, to: number, signal?: AbortSignal): Promise<Recordings> {
  const search = new URLSearchParams({ from: iso(from), to: iso(to) });
  return get(`/api/cameras/${id(camera)}/recordings?${search}`, signal);
}

const iso = (at: number): string => new Date(at).toISOString();

/** What is recorded from an instant on, to be played. */
export const playUrl = (camera: string, from: number, stream: StreamName): string =>
  `/api/cameras/${id(camera)}/recordings/play?${new URLSearchParams({ from: iso(from), stream })}`;

/** A range as a file to keep. */
export const rangeUrl = (camera: string, from: number, to: number, stream: StreamName): string =>
  `/api/cameras/${id(camera)}/recordings/download.mp4?${new URLSearchParams({ from: iso(from), to: iso(to), stream })}`;

export async function changeSettings(camera: string, json: SettingsChange): Promise<Camera> {
  return (await (await request(`/api/cameras/${id(camera)}/settings`, { method: "PATCH", json })).json()) as Camera;
}

export interface EventQuery {
  site?: string;
  camera?: string;
  zone?: string;
  kind?: EventKind;
  /** Instants, ISO 8601. */
  after?: string;
  before?: string;
  limit?: number;
  cursor?: string;
}

export function events(query: EventQuery, signal?: AbortSignal): Promise<EventPage> {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  return get(`/api/events?${search}`, signal);
}

export const event = (event: string, signal?: AbortSignal): Promise<HubEvent> =>
  get(`/api/events/${id(event)}`, signal);

/** Says what an event was; null takes back what was said. Gives the event as it is now. */
export async function judge(event: string, verdict: Verdict | null, note = ""): Promise<HubEvent> {
  const path = `/api/events/${id(event)}/verdict`;
  const answer = await request(path, verdict ? { method: "PUT", json: { verdict, note } } : { method: "DELETE" });
  return (await answer.json()) as HubEvent;
}

export interface AlertQuery {
  state?: AlertState[];
  owner?: string;
  limit?: number;
  cursor?: string;
}

export function alerts(query: AlertQuery, signal?: AbortSignal): Promise<AlertPage> {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) search.append(key, String(one));
  }
  return get(`/api/alerts?${search}`, signal);
}

export const alert = (alert: string, signal?: AbortSignal): Promise<AlertWhole> => get(`/api/alerts/${id(alert)}`, signal);

/** To whom an alert can be assigned. */
export async function alertPeople(signal?: AbortSignal): Promise<Person[]> {
  return (await get<{ people: Person[] }>("/api/alerts/people", signal)).people;
}

/** Each act is on the alert as it was seen; where somebody else was first, it is refused with `conflict`. */
async function act(alert: string, what: string, json: unknown): Promise<Alert> {
  return (await (await request(`/api/alerts/${id(alert)}/${what}`, { method: "POST", json })).json()) as Alert;
}

export const acknowledge = (seen: Alert): Promise<Alert> => act(seen.id, "acknowledge", { version: seen.version });
export const assignAlert = (seen: Alert, to: string, note: string): Promise<Alert> =>
  act(seen.id, "assign", { version: seen.version, to, note });
export const closeAlert = (seen: Alert, verdict: Verdict, note: string): Promise<Alert> =>
  act(seen.id, "close", { version: seen.version, verdict, note });
export const reopenAlert = (seen: Alert, note: string): Promise<Alert> =>
  act(seen.id, "reopen", { version: seen.version, note });
export const noteAlert = (alert: string, note: string): Promise<Alert> => act(alert, "notes", { note });

export async function rules(signal?: AbortSignal): Promise<StoredRule[]> {
  return (await get<{ rules: StoredRule[] }>("/api/rules", signal)).rules;
}

export async function putRule(rule: Rule): Promise<void> {
  await request(`/api/rules/${id(rule.id)}`, { method: "PUT", json: rule });
}

export async function removeRule(rule: string): Promise<void> {
  await request(`/api/rules/${id(rule)}`, { method: "DELETE" });
}

/** What a rule would have done in the last days. */
export async function tryRule(rule: Rule, days: number): Promise<Trial> {
  return (await (await request("/api/rule-trials", { method: "POST", json: { rule, days } })).json()) as Trial;
}

export async function channels(signal?: AbortSignal): Promise<Channel[]> {
  return (await get<{ channels: Channel[] }>("/api/channels", signal)).channels;
}

export async function putChannel(channel: string, json: NewChannel): Promise<MadeChannel> {
  return (await (await request(`/api/channels/${id(channel)}`, { method: "PUT", json })).json()) as MadeChannel;
}

export async function removeChannel(channel: string): Promise<void> {
  await request(`/api/channels/${id(channel)}`, { method: "DELETE" });
}

/** Sends a message that says it is a test. */
export async function testChannel(channel: string): Promise<{ sent: number; errors: string[] }> {
  const answer = await request(`/api/channels/${id(channel)}/test`, { method: "POST", timeoutMs: 60_000 });
  return (await answer.json()) as { sent: number; errors: string[] };
}

/** What the newest deliveries by a channel came to. */
export async function deliveries(channel: string, limit: number): Promise<Delivery[]> {
  return (await get<{ deliveries: Delivery[] }>(`/api/channels/${id(channel)}/deliveries?limit=${limit}`)).deliveries;
}

export async function sendAgain(delivery: string): Promise<void> {
  await request(`/api/deliveries/${id(delivery)}/again`, { method: "POST" });
}

export const texts = (signal?: AbortSignal): Promise<{ languages: LanguageTexts[]; names: string[] }> => get("/api/texts", signal);

export async function putTexts(language: string, json: Texts): Promise<void> {
  await request(`/api/texts/${id(language)}`, { method: "PUT", json });
}

export async function resetTexts(language: string): Promise<void> {
  await request(`/api/texts/${id(language)}`, { method: "DELETE" });
}

/** What templates make of an example. */
export async function previewTexts(language: string, texts: Texts): Promise<TextsPreview> {
  return (await (await request("/api/text-previews", { method: "POST", json: { language, texts } })).json()) as TextsPreview;
}

/** The key with which a browser subscribes to push messages. */
export async function pushKey(): Promise<string> {
  return (await get<{ key: string }>("/api/push")).key;
}

export async function subscribe(json: NewSubscription): Promise<Device> {
  return (await (await request("/api/push", { method: "POST", json })).json()) as Device;
}

/** The browsers in which the reader is told. */
export async function devices(signal?: AbortSignal): Promise<Device[]> {
  return (await get<{ devices: Device[] }>("/api/push/devices", signal)).devices;
}

export async function testDevice(device: string): Promise<void> {
  await request(`/api/push/${id(device)}/test`, { method: "POST" });
}

export async function unsubscribe(subscription: string): Promise<void> {
  await request(`/api/push/${id(subscription)}`, { method: "DELETE" });
}

export const snapshotUrl = (event: string): string => `/api/events/${id(event)}/snapshot.jpg`;
export const clipUrl = (event: string): string => `/api/events/${id(event)}/clip.mp4`;
/** `transcoded`: encoded anew by the server, for a browser that does not play the stream as it is. */
export const whepUrl = (camera: string, stream: string, transcoded = false): string =>
  `/api/cameras/${id(camera)}/whep?stream=${stream}${transcoded ? "&transcode=true" : ""}`;
/** The WebSocket of a view by MSE, at the page's own server. */
export function liveUrl(camera: string, stream: string, transcoded = false): string {
  const path = `/api/cameras/${id(camera)}/live.ws?stream=${stream}${transcoded ? "&transcode=true" : ""}`;
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
/** The same with the camera's sound. */
export const soundUrl = (camera: string, stream: string): string => `${liveUrl(camera, stream)}&audio=true`;

export interface Still {
  picture: ImageBitmap;
  /** The viewer's clock at the moment the picture was taken. */
  takenMs: number;
}

/** The newest picture of a camera, and when it was taken by the server's clock carried over to ours. */
export async function still(camera: string, height: number, signal?: AbortSignal): Promise<Still> {
  const response = await request(`/api/cameras/${id(camera)}/latest.jpg?h=${height}`, { signal });
  const taken = Date.parse(response.headers.get("X-Picture-Time") ?? "");
  const served = Date.parse(response.headers.get("Date") ?? "");
  const now = Date.now();
  // The Date header has whole seconds: below that, the two clocks agree.
  const skew = Number.isNaN(served) || Math.abs(now - served) < 2_000 ? 0 : now - served;
  const picture = await createImageBitmap(await response.blob());
  return { picture, takenMs: Math.min(now, Number.isNaN(taken) ? now : taken + skew) };
}
