/** The ways in which a camera's picture comes, behind one face. */
import type { StreamName } from "../api/types";

/** `webrtc` by UDP, `mse` by a WebSocket, `pictures` one still after the other. */
export type Kind = "webrtc" | "mse" | "pictures";

/** A picture that comes in; it is over when `ended` or after `close`. */
export interface Connection {
  readonly ended: boolean;
  /** Why nothing comes for now, while the connection stays; null when all is well. */
  readonly paused: string | null;
  /** When the newest picture was taken, by the viewer's clock; null where that is not known. */
  readonly takenMs: number | null;
  /** Show it: video in `screen`, stills by `draw`. */
  attach(screen: HTMLVideoElement, draw: (still: ImageBitmap, takenMs: number) => void): void;
  /** How many pictures have been shown so far. */
  frames(): Promise<number>;
  /** How much later than it was taken the picture is seen, ms; null while that is not known. */
  delayMs(): number | null;
  /** Nothing comes, and it looks for a new path by itself: worth a little more patience. */
  readonly mending?: boolean;
  /** The network may be another one: what does not come soon now does not come. */
  networkChanged?(): void;
  close(): void;
}

export interface Way {
  readonly kind: Kind;
  readonly stream: StreamName;
  /** The camera's sound comes with the picture. */
  readonly sound?: boolean;
  /** The server encodes it anew, since no stream as it is goes by any way. */
  readonly transcoded?: boolean;
  connect(signal: AbortSignal): Promise<Connection>;
}

/** This way does not serve: no `path` through the network for it, or this `stream` is not for it. */
export class Unusable extends Error {
  constructor(
    readonly why: "path" | "stream",
    message: string,
  ) {
    super(message);
  }
}

/** Which ways have no path through this network, for all players of the page: tried again after a while. */
export class Paths {
  private readonly closed = new Map<Kind, number>();

  constructor(private readonly closedMs = 120_000) {}

  close(kind: Kind): void {
    if (kind !== "pictures") this.closed.set(kind, Date.now() + this.closedMs);
  }

  open(kind: Kind): boolean {
    return (this.closed.get(kind) ?? 0) <= Date.now();
  }

  /** The network is another one: nothing is known of it. */
  forget(): void {
    this.closed.clear();
  }
}

export const paths = new Paths();
