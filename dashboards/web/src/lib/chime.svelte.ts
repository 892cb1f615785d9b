/** Two soft tones when an alert opens, for those who sit at a desk. Off until somebody wants it; kept in this browser. */
import { keep, kept } from "./kept";

const KEPT = "sound-of-alerts";
const PAUSE_MS = 4_000;
const TONES: [hertz: number, fromS: number][] = [
  [659, 0],
  [880, 0.22],
];
const TONE_S = 0.35;

class Chime {
  on = $state(kept(KEPT) === "on");
  private audio: AudioContext | null = null;
  private last = 0;

  toggle(): void {
    this.on = !this.on;
    keep(KEPT, this.on ? "on" : "off");
    this.last = 0;
    this.ring();
  }

  /** A flood rings once. A browser may keep a page silent on which nothing was clicked yet. */
  ring(): void {
    if (!this.on || Date.now() - this.last < PAUSE_MS) return;
    this.last = Date.now();
    const audio = (this.audio ??= new AudioContext());
    void audio.resume();
    for (const [hertz, fromS] of TONES) {
      const [tone, loudness, at] = [audio.createOscillator(), audio.createGain(), audio.currentTime + fromS];
      tone.frequency.value = hertz;
      loudness.gain.setValueAtTime(0.25, at);
      loudness.gain.exponentialRampToValueAtTime(0.001, at + TONE_S);
      tone.connect(loudness).connect(audio.destination);
      tone.start(at);
      tone.stop(at + TONE_S);
    }
  }
}

export const chime = new Chime();
