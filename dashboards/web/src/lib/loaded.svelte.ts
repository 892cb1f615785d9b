/** Something that a page fetches, with its error, kept true over lost connections. */
import { untrack } from "svelte";
import { KINDS, type Updates } from "../api/updates";

export class Loaded<T> {
  value = $state.raw<T | undefined>(undefined);
  error = $state.raw<unknown>(null);
  private abort: AbortController | null = null;
  private overtaken = false;

  constructor(private readonly fetch: (signal: AbortSignal) => Promise<T>) {}

  load = async (): Promise<void> => {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.overtaken = false;
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
    let over = false;
    // News that comes while an answer is on its way is younger than the answer, which would undo it.
    const fresh = async () => {
      await this.load();
      if (this.overtaken && !over) await this.load();
    };
    // What the fetch reads is the page's business: an effect that follows shall not run again for it.
    void untrack(fresh);
    const ends = [
      updates.on("renewed", () => void fresh()),
      updates.on("connected", (there) => void (there && this.error !== null && this.load())),
      ...KINDS.map((kind) => updates.on(kind, () => (this.overtaken = true))),
    ];
    return () => {
      over = true;
      for (const end of ends) end();
      this.abort?.abort();
    };
  }
}
