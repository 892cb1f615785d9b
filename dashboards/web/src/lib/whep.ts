/**
 * Watching a camera by WHEP (draft-ietf-wish-whep): one POST with a complete offer, an answer, a DELETE.
 * Relies on the browser's WebRTC and on the server for everything that lies between.
 */
import { request } from "../api/client";
import { type Connection, Unusable } from "./connection";

/** How long an offer waits for candidates: a host's own are there at once, and a server with a public address needs no more. */
const GATHER_MS = 1_000;
const LEAVE_MS = 3_000;

export async function watch(url: string, signal: AbortSignal): Promise<Connection> {
  if (typeof RTCPeerConnection === "undefined") throw new Unusable("path", "this browser has no WebRTC");
  const peer = new RTCPeerConnection();
  let resource: string | null = null;
  const close = () => {
    for (const { receiver } of peer.getTransceivers()) receiver.track.stop();
    if (resource === null || peer.connectionState === "closed") return peer.close();
    // The server ends the session first: a peer that left would be an error to it. keepalive: the request
    // has to arrive also when the page is being closed.
    fetch(resource, { method: "DELETE", keepalive: true, signal: AbortSignal.timeout(LEAVE_MS) })
      .catch(() => undefined)
      .finally(() => peer.close());
    resource = null;
  };
  try {
    const stream = new MediaStream();
    peer.ontrack = ({ track }) => stream.addTrack(track);
    peer.addTransceiver("video", { direction: "recvonly" });
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer, signal);
    const answer = await request(url, {
      method: "POST",
      body: peer.localDescription?.sdp ?? "",
      headers: { "Content-Type": "application/sdp", Accept: "application/sdp" },
      signal,
    });
    const location = answer.headers.get("Location");
    resource = location && new URL(location, new URL(url, document.baseURI)).href;
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    signal.throwIfAborted();
    return new Peer(peer, stream, close);
  } catch (error) {
    close();
    throw error;
  }
}

class Peer implements Connection {
  readonly paused = null;
  readonly takenMs = null;

  constructor(
    private readonly peer: RTCPeerConnection,
    private readonly stream: MediaStream,
    readonly close: () => void,
  ) {}

  attach(screen: HTMLVideoElement): void {
    screen.removeAttribute("src");
    screen.playbackRate = 1;
    screen.srcObject = this.stream;
    // Rejects when the next source comes before this one has begun; nothing is lost then.
    screen.play().catch(() => undefined);
  }

  /** Not known: RTP carries the server's times, not those at which pictures were taken. */
  delayMs(): null {
    return null;
  }

  get ended(): boolean {
    // A server that ends the session says so by DTLS, which the connection's own state does not tell.
    const gone = this.peer.getReceivers().some(({ transport }) => transport?.state === "closed");
    return gone || this.peer.connectionState === "failed" || this.peer.connectionState === "closed";
  }

  async frames(): Promise<number> {
    let count = 0;
    for (const report of (await this.peer.getStats()).values()) {
      if (report.type === "inbound-rtp" && report.kind === "video") count += report.framesDecoded ?? 0;
    }
    return count;
  }
}

function gathered(peer: RTCPeerConnection, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      peer.removeEventListener("icegatheringstatechange", look);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const look = () => peer.iceGatheringState === "complete" && done();
    const timer = setTimeout(done, GATHER_MS);
    peer.addEventListener("icegatheringstatechange", look);
    signal.addEventListener("abort", done);
    look();
  });
}
