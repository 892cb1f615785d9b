/**
 * Watching a camera by WHEP: POST an offer, PATCH what becomes known later and when the network has changed, DELETE.
 *
 * Promises: nothing is waited for before the offer leaves; relays come in where no direct way is found at once; a session
 * whose path has died looks for a new one (ICE anew) before it counts as over.
 * Relies on the browser's WebRTC and on the server for everything that lies between.
 */
import { ApiError, request } from "../api/client";
import { serverClock } from "./clock";
import { type Connection, Unusable } from "./connection";
import { type Received, type Reported, RtpDelay } from "./delay";
import { iceServers } from "./ice";

const LEAVE_MS = 3_000;
/** A direct way is there by then, or it is worth while to tell the server more and to bring in a relay. */
const DIRECT_MS = 300;
/** Something comes every 1.25 s at least, if it is only a report: after this without, the path is dead. */
const QUIET_MS = 2_600;
/** ... and after this, where the network is known to have changed. */
const CHANGED_MS = 1_400;
const FRAGMENT = "application/trickle-ice-sdpfrag";

export async function watch(
  url: string,
  signal: AbortSignal,
  iceTransportPolicy: RTCIceTransportPolicy = "all",
): Promise<Connection> {
  if (typeof RTCPeerConnection === "undefined") throw new Unusable("path", "this browser has no WebRTC");
  const view = new View(url, new RTCPeerConnection({ iceServers: iceServers.good, iceTransportPolicy }));
  try {
    await view.open(signal);
    signal.throwIfAborted();
    return view;
  } catch (error) {
    view.close();
    throw error;
  }
}

class View implements Connection {
  readonly paused = null;
  private readonly stream = new MediaStream();
  private readonly delay = new RtpDelay();
  private readonly requests = new AbortController();
  private resource: string | null = null;
  private tag = "";
  private answer = "";
  private over = false;
  private renewing = false;
  private later: ReturnType<typeof setTimeout> | undefined;
  private bytes = 0;
  /** When something came last; null before the first. */
  private heardMs: number | null = null;
  private triedMs = 0;
  private quietMs = QUIET_MS;

  constructor(
    private readonly url: string,
    private readonly peer: RTCPeerConnection,
  ) {
    peer.ontrack = ({ track }) => this.stream.addTrack(track);
    peer.addTransceiver("video", { direction: "recvonly" });
  }

  async open(signal: AbortSignal): Promise<void> {
    const { peer, url } = this;
    const hadServers = iceServers.good.length > 0;
    await peer.setLocalDescription();
    const response = await request(url, {
      method: "POST",
      body: peer.localDescription?.sdp ?? "",
      headers: { "Content-Type": "application/sdp", Accept: "application/sdp" },
      signal,
    });
    const location = response.headers.get("Location");
    this.resource = location && new URL(location, new URL(url, document.baseURI)).href;
    this.tag = response.headers.get("ETag") ?? "*";
    const newServers = iceServers.learn(response.headers) && !hadServers;
    this.answer = await response.text();
    await peer.setRemoteDescription({ type: "answer", sdp: this.answer });
    this.later = setTimeout(() => {
      if (this.connected) return;
      if (newServers) void this.renew();
      else void this.tellCandidates();
    }, DIRECT_MS);
  }

  attach(screen: HTMLVideoElement): void {
    screen.removeAttribute("src");
    screen.playbackRate = 1;
    screen.srcObject = this.stream;
    // Rejects when the next source comes before this one has begun; nothing is lost then.
    screen.play().catch(() => undefined);
  }

  get takenMs(): number | null {
    const delay = this.delay.ms;
    return delay === null ? null : Date.now() - delay;
  }

  delayMs(): number | null {
    return this.delay.ms;
  }

  get ended(): boolean {
    // A server that ends the session says so by DTLS, which the connection's own state does not tell.
    const gone = this.peer.getReceivers().some(({ transport }) => transport?.state === "closed");
    return this.over || gone || this.peer.connectionState === "failed" || this.peer.connectionState === "closed";
  }

  get mending(): boolean {
    return this.resource !== null && this.heardMs !== null && performance.now() - this.heardMs > this.quietMs;
  }

  networkChanged(): void {
    this.quietMs = CHANGED_MS;
    this.triedMs = 0;
  }

  async frames(): Promise<number> {
    let [received, reported, bytes]: [Received | undefined, Reported | undefined, number] = [undefined, undefined, 0];
    for (const report of (await this.peer.getStats()).values()) {
      if (report.type === "inbound-rtp" && report.kind === "video") received = report;
      else if (report.type === "remote-outbound-rtp" && report.kind === "video") reported = report;
      else if (report.type === "transport") bytes = report.bytesReceived ?? 0;
    }
    const now = performance.now();
    if (received) this.delay.read(received, reported, serverClock.at(now));
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.heardMs = now;
      this.quietMs = QUIET_MS;
    } else if (this.mending && now - this.triedMs > this.quietMs) void this.renew();
    return received?.framesDecoded ?? 0;
  }

  close(): void {
    const { peer, resource } = this;
    clearTimeout(this.later);
    this.requests.abort();
    this.over = true;
    for (const { receiver } of peer.getTransceivers()) receiver.track.stop();
    this.resource = null;
    if (resource === null || peer.connectionState === "closed") return peer.close();
    // The server ends the session first: a peer that left would be an error to it. keepalive: the request
    // has to arrive also when the page is being closed.
    fetch(resource, { method: "DELETE", keepalive: true, signal: AbortSignal.timeout(LEAVE_MS) })
      .catch(() => undefined)
      .finally(() => peer.close());
  }

  private get connected(): boolean {
    return this.peer.iceConnectionState === "connected" || this.peer.iceConnectionState === "completed";
  }

  /** ICE anew: by the servers and the addresses that there are now. What still goes by the old way goes on. */
  private async renew(): Promise<void> {
    const { peer } = this;
    if (this.renewing || this.ended) return;
    this.renewing = true;
    this.triedMs = performance.now();
    try {
      if (iceServers.ended) iceServers.learn((await this.ask(this.url, { method: "OPTIONS" })).headers);
      peer.setConfiguration({ ...peer.getConfiguration(), iceServers: iceServers.good });
      await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
      const response = await this.patch("*");
      this.tag = response.headers.get("ETag") ?? "*";
      this.answer = renewed(this.answer, await response.text());
      await peer.setRemoteDescription({ type: "answer", sdp: this.answer });
      clearTimeout(this.later);
      this.later = setTimeout(() => void this.tellCandidates(), DIRECT_MS);
    } catch (error) {
      // Where the server cannot be reached, it is tried again; it may know nothing of us any more.
      if (!(error instanceof ApiError && error.status === 0)) this.over = true;
    } finally {
      this.renewing = false;
    }
  }

  /** Of use where the server can reach us, or open a way for us, and not the other way round. */
  private async tellCandidates(): Promise<void> {
    if (this.ended || !/a=candidate:\S+ 1 udp \d+ (?!\S+\.local )/i.test(this.peer.localDescription?.sdp ?? "")) return;
    await this.patch(this.tag).catch(() => undefined); // it may go without
  }

  private patch(tag: string): Promise<Response> {
    const body = fragment(this.peer.localDescription?.sdp ?? "");
    return this.ask(this.resource ?? "", { method: "PATCH", body, headers: { "Content-Type": FRAGMENT, "If-Match": tag } });
  }

  private ask(url: string, options: Parameters<typeof request>[1]): Promise<Response> {
    return request(url, { ...options, signal: this.requests.signal });
  }
}

/** What an SDP fragment (RFC 8840) says of a description's ICE. */
export function fragment(sdp: string): string {
  const lines = sdp.split(/\r?\n/).filter((line) => /^(m=|a=mid:|a=ice-ufrag:|a=ice-pwd:|a=candidate:)/.test(line));
  return lines.map((line) => `${line}\r\n`).join("");
}

/** An answer with the ICE of a fragment in place of its own. */
export function renewed(answer: string, fragment: string): string {
  const theirs = fragment.split(/\r?\n/).filter((line) => /^a=(ice-ufrag|ice-pwd|candidate|end-of-candidates)/.test(line));
  const lines = answer.split(/\r?\n/).filter((line) => !/^a=(ice-pwd|candidate|end-of-candidates)/.test(line));
  return lines.flatMap((line) => (line.startsWith("a=ice-ufrag:") ? theirs : [line])).join("\r\n");
}
