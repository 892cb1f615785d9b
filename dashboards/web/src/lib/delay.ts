/**
 * How late a picture is seen by WebRTC, from what every browser tells of it.
 *
 * A sender report carries the worker's clock as of the picture that was sent last, counted on to the moment at which
 * the report left. So the server's clock at its arrival is ahead of it by the way from the camera to here. What is spent
 * in the browser, from a picture's first packet until it is decoded, is counted by the browser; then it waits for the screen.
 * (Browsers tell `estimatedPlayoutTimestamp` only where there is sound, and `captureTime` only with an extension.)
 */

const REPORTS = 5;
/** From decoded to seen, about: a frame of the screen. */
const SCREEN_MS = 17;
/** Beyond that, it is a clock that is wrong. */
const WRONG_MS = 30_000;

/** The parts of RTCInboundRtpStreamStats that are needed; times in s. */
export interface Received {
  timestamp: number;
  framesDecoded?: number;
  totalProcessingDelay?: number;
  jitterBufferDelay?: number;
  jitterBufferEmittedCount?: number;
  totalDecodeTime?: number;
}

/** Of RTCRemoteOutboundRtpStreamStats; times in ms. */
export interface Reported {
  timestamp: number;
  remoteTimestamp?: number;
}

export class RtpDelay {
  private ways: number[] = [];
  private report = 0;
  private before: Received | null = null;
  private insideMs: number | null = null;

  /** `serverMs`: the server's clock at the time that `received` is of. */
  read(received: Received, reported: Reported | undefined, serverMs: number | null): void {
    if (reported?.remoteTimestamp && reported.remoteTimestamp !== this.report && serverMs !== null) {
      this.report = reported.remoteTimestamp;
      const arrivedMs = serverMs - (received.timestamp - reported.timestamp);
      this.ways = [...this.ways, arrivedMs - this.report].slice(-REPORTS);
    }
    const { before } = this;
    if ((received.framesDecoded ?? 0) === (before?.framesDecoded ?? 0)) return;
    if (before) this.insideMs = insideMs(before, received);
    this.before = received;
  }

  /** ms; null while it is not known. */
  get ms(): number | null {
    const way = [...this.ways].sort((a, b) => a - b)[this.ways.length >> 1];
    if (way === undefined || this.insideMs === null || Math.abs(way) > WRONG_MS) return null;
    return Math.max(0, way + this.insideMs + SCREEN_MS);
  }
}

/** From a picture's first packet to its being decoded, on average between two looks. */
function insideMs(before: Received, now: Received): number {
  const grown = (of: keyof Received) => (now[of] ?? 0) - (before[of] ?? 0);
  const each = (time: keyof Received, count: keyof Received) => (grown(count) > 0 ? (1_000 * grown(time)) / grown(count) : 0);
  if (now.totalProcessingDelay !== undefined) return each("totalProcessingDelay", "framesDecoded");
  return each("jitterBufferDelay", "jitterBufferEmittedCount") + each("totalDecodeTime", "framesDecoded");
}
