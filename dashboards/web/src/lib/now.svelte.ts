/** The viewer's clock for words such as "2 minutes ago": ticks once a second while something shows it. */
import { createSubscriber } from "svelte/reactivity";

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1_000);
  return () => clearInterval(timer);
});

/** Milliseconds since 1970; read inside a template or effect, it keeps that up to date. */
export function now(): number {
  subscribe();
  return Date.now();
}
