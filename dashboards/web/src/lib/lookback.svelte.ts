/**
 * Plays what a camera recorded: fragmented MP4 from a fetch into a MediaSource, read only as fast as it is watched.
 * The video's time runs as the wall clock did, from `origin` on, so that a gap in the recordings is a gap in what is
 * buffered, over which it jumps. Paused, it lets go of the connection, and the hamlet sends nothing.
 */
import { ApiError, playUrl, request } from "../api/client";
import type { ProblemCode, StreamName } from "../api/types";
import { mimeOf, sourceClass } from "./mse";

export type LookbackState = "loading" | "playing" | "paused" | "end";

/** Why nothing plays, or not as was asked. */
export type Trouble =
  | { kind: "refused"; code: ProblemCode | null; status: number }
  | { kind: "codec"; codec: string }
  | { kind: "no-player" }
  | { kind: "other-stream" }
  | { kind: "narrow" };

const HOUR_S = 3_600;
const BEFORE_S = 24 * HOUR_S; // how far one may go back before a new source is made
const AFTER_S = 48 * HOUR_S;
const AHEAD_S = 12;
const PAUSED_AHEAD_S = 1;
const KEEP_S = 40;
const TRIM_S = 60;
const TICK_MS = 200;
const STALL_MS = 4_000;
const GAP_MS = 1_500; // less is not worth a word
const TOLD_MS = 8_000;
const RETRY_MS = [1_000, 2_000, 5_000, 10_000];
const ANSWER_MS = 40_000;
/** What is buffered is taken for whole over such holes. */
const HOLE_S = 0.25;
/** So near to its end a browser stands still: how near depends on how long a picture lasts. */
const NEARLY_S = 0.5;

export class Lookback {
  state = $state<LookbackState>("loading");
  trouble = $state.raw<Trouble | null>(null);
  /** The instant that the picture shows, ms since 1970. */
  nowMs = $state(0);
  /** The gap that was passed last. */
  skipped = $state.raw<{ from: number; to: number } | null>(null);
  rate = $state(1);
  stream = $state<StreamName>("sub");

  private video = $state.raw<HTMLVideoElement | null>(null);
  private source: MediaSource | null = null;
  private buffer: SourceBuffer | null = null;
  private address = "";
  private mime = "";
  private originMs = 0;
  private wantedMs = 0;
  private sought = false; // the picture at `wantedMs` is not there yet
  private feeding: AbortController | null = null;
  private fedToMs = 0;
  private exhausted = false; // beyond what was fed, nothing is recorded yet
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private stalledMs = 0;
  private forget: ReturnType<typeof setTimeout> | undefined;
  private readonly ticking: ReturnType<typeof setInterval>;

  constructor(
    private readonly camera: string,
    /** Where recording goes on after an instant, as far as is known. */
    private readonly nextRecorded: (at: number) => number | null,
    /** Whether the small stream could be played in place of the full one. */
    private readonly hasSub: () => boolean,
  ) {
    this.ticking = setInterval(this.tick, TICK_MS);
  }

  attach = (video: HTMLVideoElement): (() => void) => {
    this.video = video;
    video.disableRemotePlayback = true; // without this, a ManagedMediaSource does not open
    return () => this.close();
  };

  /** Whether there is a screen to play on. */
  get attached(): boolean {
    return this.video !== null;
  }

  close(): void {
    clearInterval(this.ticking);
    clearTimeout(this.forget);
    this.stopFeeding();
    this.letGo();
    this.video = null;
  }

  /** Shows an instant, and plays on from there. */
  seek(atMs: number, play = true): void {
    if (!this.video) return;
    this.skipped = this.trouble = null;
    this.failures = 0;
    this.nowMs = this.wantedMs = atMs;
    if (play) this.state = "loading";
    const at = this.secondsOf(atMs);
    if (this.buffer && this.feeding && this.inFed(at)) {
      this.video.currentTime = at;
    } else {
      this.sought = true;
      if (!this.source || at < HOUR_S || at > AFTER_S - HOUR_S) this.letGo();
      void this.feed(atMs, true);
    }
    if (play) this.run();
    else this.pause();
  }

  play(): void {
    if (this.state === "end") this.exhausted = false;
    if (this.blocked) return this.seek(this.nowMs);
    this.state = "loading";
    this.run();
    if (!this.feeding && this.sought) void this.feed(this.wantedMs, true); // else when what is here is nearly seen
  }

  pause(): void {
    this.state = "paused";
    this.video?.pause();
  }

  toggle(): void {
    if (this.state === "paused" || this.state === "end") this.play();
    else this.pause();
  }

  setRate(rate: number): void {
    this.rate = rate;
    if (this.video) this.video.playbackRate = this.video.defaultPlaybackRate = rate;
  }

  /** Changes the stream; the picture goes on from the same instant. */
  setStream(stream: StreamName): void {
    if (stream === this.stream) return;
    const paused = this.state === "paused";
    this.stream = stream;
    this.stopFeeding();
    this.letGo();
    if (this.nowMs) this.seek(this.nowMs, !paused);
  }

  // -- the stream -------------------------------------------------------------------------

  /** Fetches from an instant on, until it is told to stop or nothing more is recorded. */
  private async feed(fromMs: number, fresh: boolean): Promise<void> {
    this.stopFeeding();
    const feeding = (this.feeding = new AbortController());
    const { signal } = feeding;
    let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
    try {
      const response = await request(playUrl(this.camera, fromMs, this.stream), { signal, timeoutMs: ANSWER_MS });
      reader = response.body?.getReader() as typeof reader;
      if (signal.aborted || !reader) return;
      const open = reader;
      signal.addEventListener("abort", () => void open.cancel().catch(() => undefined));
      const codec = response.headers.get("X-Codec") ?? "";
      const startMs = Date.parse(response.headers.get("X-Start-Time") ?? "");
      if (!(await this.ready(mimeOf(codec), codec, fresh ? Math.max(fromMs, startMs) : null, signal))) return;
      await this.place(startMs, fresh, signal);
      while (!signal.aborted) {
        await this.room(signal);
        const { done, value } = await reader.read();
        if (done || signal.aborted) break;
        await this.append(value, signal);
        this.failures = 0;
        if (this.trouble?.kind === "refused") this.trouble = null;
      }
      if (!signal.aborted) this.fedAll(fromMs);
    } catch (error) {
      if (!signal.aborted) this.failed(error);
    } finally {
      reader?.cancel().catch(() => undefined);
      if (this.feeding === feeding) this.feeding = null;
    }
  }

  private stopFeeding(): void {
    clearTimeout(this.retry);
    this.feeding?.abort();
    this.feeding = null;
  }

  /** The stream ended: what was recorded then is here. */
  private fedAll(fromMs: number): void {
    if (this.fedToMs > fromMs + 500) return; // asked again when it has been watched
    const next = this.nextRecorded(fromMs + 500);
    if (next !== null && this.fedToMs < next) this.fedToMs = next;
    else this.exhausted = true;
  }

  private failed(error: unknown): void {
    const status = error instanceof ApiError ? error.status : 0;
    const code = error instanceof ApiError ? error.code : null;
    if (code === "nothing-there" && !this.sought) {
      this.exhausted = true;
      return;
    }
    this.trouble = { kind: "refused", code, status };
    if (status !== 0 && status !== 503) return;
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    this.retry = setTimeout(() => void this.feed(this.sought ? this.wantedMs : this.fedToMs, this.sought), wait);
  }

  /** A source for the codec; false where this browser does not play it. */
  private async ready(mime: string, codec: string, showMs: number | null, signal: AbortSignal): Promise<boolean> {
    const Source = sourceClass();
    if (!Source || !this.video) {
      this.trouble = { kind: "no-player" };
      return false;
    }
    if (!Source.isTypeSupported(mime)) {
      const other = this.stream === "main" && this.hasSub();
      if (other) this.setStream("sub");
      this.trouble = other ? { kind: "other-stream" } : { kind: "codec", codec };
      return false;
    }
    if (this.buffer && mime !== this.mime) {
      await this.idle(signal);
      if (signal.aborted) return false;
      this.buffer.abort();
      this.buffer.changeType(mime);
    }
    if (!this.buffer) {
      const source = (this.source = new Source());
      this.originMs = (showMs ?? this.nowMs) - BEFORE_S * 1_000;
      this.address = URL.createObjectURL(source);
      this.video.src = this.address;
      await new Promise((resolve) => source.addEventListener("sourceopen", resolve, { once: true }));
      if (signal.aborted || source !== this.source) return false;
      source.duration = AFTER_S;
      this.buffer = source.addSourceBuffer(mime);
    }
    this.mime = mime;
    return true;
  }

  /** What comes now begins at this instant. */
  private async place(startMs: number, fresh: boolean, signal: AbortSignal): Promise<void> {
    await this.idle(signal);
    const { buffer, video } = this;
    if (signal.aborted || !buffer || !video) return;
    buffer.abort(); // what was cut off in the middle is forgotten
    if (fresh) {
      if (buffer.buffered.length) {
        buffer.remove(0, Infinity);
        await this.idle(signal);
        if (signal.aborted) return;
      }
      // A gap from where one wanted to look: it begins behind it.
      this.passed(this.wantedMs, startMs);
      video.currentTime = this.secondsOf(Math.max(startMs, this.wantedMs));
      this.fedToMs = startMs;
      this.exhausted = this.sought = false;
      video.playbackRate = video.defaultPlaybackRate = this.rate;
      if (this.state !== "paused") this.run();
    }
    buffer.timestampOffset = this.secondsOf(startMs);
  }

  private async append(data: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<void> {
    await this.idle(signal);
    const { buffer, video } = this;
    if (signal.aborted || !buffer || !video) return;
    const { buffered } = buffer;
    if (buffered.length && video.currentTime - buffered.start(0) > TRIM_S) {
      buffer.remove(0, video.currentTime - KEEP_S);
      await this.idle(signal);
      if (signal.aborted) return;
    }
    buffer.appendBuffer(data);
    await this.idle(signal);
    const last = buffer.buffered.length - 1;
    if (!signal.aborted && last >= 0) this.fedToMs = Math.max(this.fedToMs, this.msOf(buffer.buffered.end(last)));
  }

  /** Waits until the buffer takes something. */
  private idle(signal: AbortSignal): Promise<void> {
    const buffer = this.buffer;
    return new Promise((resolve) => {
      if (!buffer?.updating || signal.aborted) return resolve();
      buffer.addEventListener("updateend", () => resolve(), { once: true });
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Waits until more has to be buffered; while nobody plays, it lets go of the connection. */
  private async room(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.aheadS() > (this.state === "paused" ? PAUSED_AHEAD_S : AHEAD_S * Math.max(1, this.rate / 2))) {
      if (this.state === "paused") return this.stopFeeding();
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  }

  // -- the picture ------------------------------------------------------------------------

  private run(): void {
    this.video?.play().catch(() => undefined);
  }

  private tick = (): void => {
    const { video, buffer } = this;
    if (!video || !buffer || this.sought) return;
    this.nowMs = this.msOf(video.currentTime);
    if (this.state === "paused") return;
    if (video.error) {
      this.trouble = { kind: "codec", codec: this.mime };
      return;
    }
    if (!this.feeding && !this.exhausted && !this.blocked && this.aheadS() < AHEAD_S / 2) void this.feed(this.fedToMs, false);
    if (video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && !video.seeking) {
      this.state = "playing";
      this.stalledMs = 0;
      if (this.trouble?.kind === "narrow") this.trouble = null;
      if (video.paused) this.run();
    } else if (this.exhausted && this.aheadS() < NEARLY_S) this.state = "end";
    else if (this.hereS() > NEARLY_S || !this.overGap(video, buffer)) this.stalled();
  };

  /** Whether it makes no sense to ask now. */
  private get blocked(): boolean {
    return this.trouble !== null && this.trouble.kind !== "narrow" && this.trouble.kind !== "other-stream";
  }

  private stalled(): void {
    this.state = "loading";
    this.stalledMs += TICK_MS;
    if (this.stalledMs < STALL_MS || !this.feeding || this.trouble) return;
    this.stalledMs = 0;
    if (this.stream === "main" && this.hasSub()) this.setStream("sub");
    this.trouble = { kind: "narrow" };
  }

  /** Jumps to what is buffered behind a gap. */
  private overGap(video: HTMLVideoElement, buffer: SourceBuffer): boolean {
    for (let i = 0; i < buffer.buffered.length; i += 1) {
      const start = buffer.buffered.start(i);
      if (start <= video.currentTime + 0.01) continue;
      this.passed(this.nowMs, this.msOf(start));
      video.currentTime = start + 0.01;
      return true;
    }
    return false;
  }

  /** A gap was passed: that is told for a while. */
  private passed(from: number, to: number): void {
    if (to - from < GAP_MS) return;
    this.skipped = { from, to };
    clearTimeout(this.forget);
    this.forget = setTimeout(() => (this.skipped = null), TOLD_MS);
  }

  private secondsOf = (at: number): number => (at - this.originMs) / 1_000;
  private msOf = (seconds: number): number => this.originMs + seconds * 1_000;

  /** How much is buffered from the picture on without a hole. */
  private hereS(): number {
    const { video, buffer } = this;
    if (!video || !buffer) return 0;
    for (let i = 0; i < buffer.buffered.length; i += 1) {
      const [start, end] = [buffer.buffered.start(i), buffer.buffered.end(i)];
      if (start - HOLE_S <= video.currentTime && video.currentTime < end) return end - video.currentTime;
    }
    return 0;
  }

  /** How much is buffered from the picture on, gaps not counted. */
  private aheadS(): number {
    const { video, buffer } = this;
    if (!video || !buffer || this.sought) return 0;
    let sum = 0;
    for (let i = 0; i < buffer.buffered.length; i += 1) {
      sum += Math.max(0, buffer.buffered.end(i) - Math.max(buffer.buffered.start(i), video.currentTime));
    }
    return sum;
  }

  /** Whether an instant is buffered in the stretch that is being added to. */
  private inFed(at: number): boolean {
    const buffered = this.buffer?.buffered;
    const last = (buffered?.length ?? 0) - 1;
    return buffered !== undefined && last >= 0 && buffered.start(last) <= at && at < buffered.end(last) - 0.5;
  }

  private letGo(): void {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = this.mime = "";
    this.buffer = this.source = null;
    this.video?.removeAttribute("src");
  }
}
