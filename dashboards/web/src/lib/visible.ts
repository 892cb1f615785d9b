import type { Attachment } from "svelte/attachments";

/** Tells whether an element is on the screen, or nearly. Leaving counts after a moment, so that a quick scroll changes nothing. */
export function visible(tell: (seen: boolean) => void, graceMs = 2_000): Attachment {
  return (element) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        const seen = entries.at(-1)?.isIntersecting ?? false;
        clearTimeout(timer);
        if (seen) tell(true);
        else timer = setTimeout(() => tell(false), graceMs);
      },
      { rootMargin: "80px" },
    );
    observer.observe(element);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  };
}
