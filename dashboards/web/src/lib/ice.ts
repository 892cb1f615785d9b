/**
 * The STUN and TURN servers that the server names in `Link` headers (WHEP), and how long their credentials hold.
 * Kept for all views of the page, so that none has to ask first.
 */

/** Credentials that end sooner than this are as good as ended. */
const MARGIN_MS = 30_000;
const LINK = /<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^",;\s]*))*)/g;
const PARAMETER = /([\w-]+)\s*=\s*(?:"([^"]*)"|([^",;\s]*))/g;

export class IceServers {
  private servers: RTCIceServer[] = [];
  private untilMs = Infinity;

  /** Servers with credentials that still hold; none where none are known. */
  get good(): RTCIceServer[] {
    return this.ended ? [] : this.servers;
  }

  /** Whether there are servers whose credentials do not hold any more. */
  get ended(): boolean {
    return this.servers.length > 0 && Date.now() > this.untilMs;
  }

  /** What an answer of the server's says of them; true where it names any. */
  learn(headers: Headers): boolean {
    this.servers = readLinks(headers.get("Link") ?? "");
    // By the server's clock, since ours may be wrong.
    const saidMs = Date.parse(headers.get("Date") ?? "") || Date.now();
    const heldMs = Math.min(...this.servers.map((server) => endMs(server) - saidMs));
    this.untilMs = Date.now() + heldMs - Math.min(MARGIN_MS, heldMs / 2);
    return this.servers.length > 0;
  }
}

/** Those of the page. */
export const iceServers = new IceServers();

export const isRelay = (server: RTCIceServer): boolean => /^turns?:/i.test(String(server.urls));

export function readLinks(header: string): RTCIceServer[] {
  const found: RTCIceServer[] = [];
  for (const [, url = "", rest = ""] of header.matchAll(LINK)) {
    const values = new Map([...rest.matchAll(PARAMETER)].map(([, name = "", quoted, bare]) => [name, quoted ?? bare ?? ""]));
    if (values.get("rel") !== "ice-server") continue;
    const [username, credential] = [values.get("username"), values.get("credential")];
    found.push(username === undefined || credential === undefined ? { urls: url } : { urls: url, username, credential });
  }
  return found;
}

/** When credentials end: coturn's scheme has it in the user name, s since 1970. */
function endMs({ username = "" }: RTCIceServer): number {
  const end = /^(\d{9,11})(:|$)/.exec(username);
  return end ? Number(end[1]) * 1_000 : Infinity;
}
