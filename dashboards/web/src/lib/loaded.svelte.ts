/** Something that a page fetches, with its error, kept true over lost connections. */
import { untrack } from "svelte";
import type { Updates } from "../api/updates";

export class Loaded<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state.raw<unknown>(null);
  private abort: AbortController | null = null;

  constructor(private readonly fetch: (signal: AbortSignal) => Promise<T>) {}

  load = async (): Promise<void> => {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    try {
      const value = await this.fetch(abort.signal);
      if (abort.signal.aborted) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (!abort.signal.aborted) this.error = error;
    }
  };

  /** Loads now, and again whenever changes may have been missed; returns what ends it. */
  follow(updates: Updates): () => void {
    // What the fetch reads is the page's business: an effect that follows shall not run again for it.
    void untrack(this.load);
    const renewed = updates.on("renewed", () => void this.load());
    const connected = updates.on("connected", (there) => void (there && this.error !== null && this.load()));
    return () => {
      renewed();
      connected();
      this.abort?.abort();
    };
  }
}
