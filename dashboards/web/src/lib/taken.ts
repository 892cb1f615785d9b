/** When pictures were taken, from the `prft` box of each fragment (ISO/IEC 14496-12, 8.16.5), by the viewer's clock. */

const NTP_EPOCH_MS = 2_208_988_800_000;
const PRFT = 0x70726674;
/** A later answer is a better one only when it came as quickly, within this. */
const SLACK_MS = 20;

export class PictureTimes {
  /** Of the newest picture: its time in the video, s, and on the worker's clock, ms. */
  private newest: { time: number; wallMs: number } | null = null;
  /** What the server's clock is ahead of ours, ms. */
  private aheadMs = 0;
  private roundMs = Infinity;

  clear(): void {
    this.newest = null;
  }

  read(fragment: ArrayBuffer): void {
    if (fragment.byteLength < 32) return;
    const view = new DataView(fragment);
    if (view.getUint32(4) !== PRFT) return;
    const wallMs = view.getUint32(16) * 1_000 + (view.getUint32(20) / 2 ** 32) * 1_000 - NTP_EPOCH_MS;
    const time = (view.getUint32(24) * 2 ** 32 + view.getUint32(28)) / 1e6;
    this.newest = { time, wallMs };
  }

  /** The server's answer: it was asked at `sentMs` and heard at `heardMs`, by our clock. */
  setClock(sentMs: number, heardMs: number, serverMs: number): void {
    const round = heardMs - sentMs;
    if (round > this.roundMs + SLACK_MS) return;
    this.roundMs = round;
    this.aheadMs = serverMs + round / 2 - heardMs;
  }

  /** The newest picture's time in the video, s; null before the first. */
  get newestTime(): number | null {
    return this.newest && this.newest.time;
  }

  /** When the picture at a time of the video was taken, by our clock; null before the first. */
  takenMs(time: number): number | null {
    const { newest } = this;
    return newest && newest.wallMs - (newest.time - time) * 1_000 - this.aheadMs;
  }
}
