/**
 * What changes on the server, as it changes: GET /api/updates by EventSource.
 *
 * Promises: one connection for the whole page; listeners of `renewed` are told after each connection, the first
 * too, because what happened before it was not heard: what was fetched by then should be fetched again.
 */
import { Backoff } from "../lib/backoff";
import type { Alert, Camera, HubEvent, Site } from "./types";

interface Told {
  event: HubEvent;
  alert: Alert;
  camera: Camera;
  site: Site;
  renewed: undefined;
  connected: boolean;
}

type Listener<K extends keyof Told> = (what: Told[K]) => void;

/** What the server tells of. */
export const KINDS = ["event", "alert", "camera", "site"] as const;

export class Updates {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly backoff = new Backoff();
  private readonly listeners: { [K in keyof Told]: Set<Listener<K>> } = {
    event: new Set(),
    alert: new Set(),
    camera: new Set(),
    site: new Set(),
    renewed: new Set(),
    connected: new Set(),
  };

  /** `refused` is asked when the server answers but refuses the stream: is it worth trying again? */
  constructor(
    private readonly refused: () => Promise<boolean> = async () => true,
    private readonly make: (url: string) => EventSource = (url) => new EventSource(url),
  ) {}

  /** Calls `listener` at each change of this kind until the returned function is called. */
  on<K extends keyof Told>(kind: K, listener: Listener<K>): () => void {
    const set: Set<Listener<K>> = this.listeners[kind];
    set.add(listener);
    return () => set.delete(listener);
  }

  open(): void {
    this.close();
    const source = this.make("/api/updates");
    this.source = source;
    source.onopen = () => {
      this.backoff.reset();
      this.tell("connected", true);
      this.tell("renewed", undefined);
    };
    source.onerror = () => void this.lost(source);
    // The server no longer knows what we missed.
    source.addEventListener("reset", () => this.tell("renewed", undefined));
    for (const kind of KINDS) {
      source.addEventListener(kind, (message) => this.tell(kind, JSON.parse(message.data)));
    }
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private async lost(source: EventSource): Promise<void> {
    this.tell("connected", false);
    // A browser's own retry has no limit on its pace and gives up on an HTTP error, so we do both ourselves.
    source.close();
    const again = await this.refused();
    if (!again || this.source !== source) return;
    this.timer = setTimeout(() => this.open(), this.backoff.next());
  }

  private tell<K extends keyof Told>(kind: K, what: Told[K]): void {
    for (const listener of [...(this.listeners[kind] as Set<Listener<K>>)]) listener(what);
  }
}
