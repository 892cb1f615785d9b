/** What the player by WebRTC reckons: servers from Link headers, ICE anew in an answer, the server's clock, the delay. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ServerClock } from "../src/lib/clock";
import { RtpDelay } from "../src/lib/delay";
import { IceServers, isRelay, readLinks } from "../src/lib/ice";
import { fragment, renewed } from "../src/lib/whep";

const NOW = Date.parse("2026-11-25T08:00:00Z");
const link = (endS: number) =>
  '<stun:a:3478>; rel="ice-server", <turn:b:3478?transport=udp>; rel="ice-server"; ' +
  `username="${endS}:công-an"; credential="a+b/c="; credential-type="password", </next>; rel="next"`;
const told = (endS: number, dateMs = NOW) => new Headers({ Link: encode(link(endS)), Date: new Date(dateMs).toUTCString() });
/** Headers are bytes. */
const encode = (text: string) => text.replace("công", "cong");

beforeEach(() => vi.useFakeTimers({ now: NOW, toFake: ["Date", "performance"] }));
afterEach(() => vi.useRealTimers());

it("servers are read from Link headers, and others are left", () => {
  const found = readLinks(link(1));
  expect(found).toEqual([
    { urls: "stun:a:3478" },
    { urls: "turn:b:3478?transport=udp", username: "1:công-an", credential: "a+b/c=" },
  ]);
  expect(found.map(isRelay)).toEqual([false, true]);
  expect(readLinks("")).toEqual([]);
});

it("credentials are good until shortly before they end, by the server's clock", () => {
  const servers = new IceServers();
  expect(servers.learn(new Headers())).toBe(false);
  expect(servers.ended).toBe(false);
  // The server's clock is a day ahead of ours.
  const day = 86_400_000;
  expect(servers.learn(told((NOW + day) / 1_000 + 600, NOW + day))).toBe(true);
  vi.setSystemTime(NOW + 560_000);
  expect(servers.good).toHaveLength(2);
  vi.setSystemTime(NOW + 580_000);
  expect(servers.good).toHaveLength(0);
  expect(servers.ended).toBe(true);
});

it("an answer gets the ICE of a fragment, and keeps all else", () => {
  const answer = [
    "v=0",
    "m=video 9 UDP/TLS/RTP/SAVPF 102",
    "a=mid:0",
    "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host",
    "a=end-of-candidates",
    "a=ice-ufrag:old",
    "a=ice-pwd:oldpassword",
    "a=fingerprint:sha-256 AB",
    "",
  ].join("\r\n");
  const theirs = "a=mid:0\r\na=ice-ufrag:new\r\na=ice-pwd:newpassword\r\na=candidate:2 1 udp 1 192.0.2.2 6000 typ host\r\n";
  const lines = renewed(answer, theirs).split("\r\n");
  expect(lines).toEqual([
    "v=0",
    "m=video 9 UDP/TLS/RTP/SAVPF 102",
    "a=mid:0",
    "a=ice-ufrag:new",
    "a=ice-pwd:newpassword",
    "a=candidate:2 1 udp 1 192.0.2.2 6000 typ host",
    "a=fingerprint:sha-256 AB",
    "",
  ]);
  expect(fragment(answer)).not.toContain("fingerprint");
  expect(fragment(answer)).toContain("a=ice-ufrag:old\r\n");
});

it("the quickest answer sets the clock, whatever the browser's says", async () => {
  const rounds = [400, 20, 100];
  let moment = 1_000;
  vi.spyOn(performance, "now").mockImplementation(() => moment);
  const clock = new ServerClock(async () => {
    const round = rounds.shift() ?? 0;
    moment += round;
    return 50_000 + moment - (round === 20 ? 10 : 0); // halfway where it was quick, at the end where it was slow
  });
  expect(clock.at(moment)).toBeNull();
  await vi.waitFor(() => expect(clock.at(0)).toBe(50_000));
});

it("the delay is the way to here, what is spent in here, and the screen", () => {
  const delay = new RtpDelay();
  const received = (timestamp: number, frames: number) => ({ timestamp, framesDecoded: frames, totalProcessingDelay: frames * 0.04 });
  delay.read(received(1_000, 10), undefined, 1_000_000);
  expect(delay.ms).toBeNull();
  // It came 200 ms ago, and says what the worker's clock said 80 ms before.
  delay.read(received(2_000, 20), { timestamp: 1_800, remoteTimestamp: 1_000_720 }, 1_001_000);
  expect(delay.ms).toBeCloseTo(80 + 40 + 17);
  // A clock that is wrong by hours is not a delay.
  const wrong = new RtpDelay();
  wrong.read(received(1_000, 10), undefined, 1_000_000);
  wrong.read(received(2_000, 20), { timestamp: 1_800, remoteTimestamp: 9_000_000 }, 1_001_000);
  expect(wrong.ms).toBeNull();
});
