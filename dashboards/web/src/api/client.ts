/**
 * The server's HTTP API as typed functions. Each rejects with an `ApiError`; status 0 means that the
 * server could not be reached. A 401 anywhere but at sign-in is told to `onSignedOut` as well.
 */
import type { Camera, EventKind, EventPage, HubEvent, ProblemCode, Session, Site, Verdict } from "./types";

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
}

/** One request, with a time limit and with errors as `ApiError`. */
export async function request(path: string, options: Options = {}): Promise<Response> {
  const { method = "GET", json, body, headers = {}, signal } = options;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
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

export async function cameras(signal?: AbortSignal): Promise<Camera[]> {
  return (await get<{ cameras: Camera[] }>("/api/cameras", signal)).cameras;
}

export const camera = (camera: string, signal?: AbortSignal): Promise<Camera> =>
  get(`/api/cameras/${id(camera)}`, signal);

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
