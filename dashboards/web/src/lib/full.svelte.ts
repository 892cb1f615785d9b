/**
 * Full screen, for whichever page has something to fill it with. It is the document that goes full screen, so it stays so
 * from the wall to a camera and back. Where the browser has none (iPhone), or does not allow it, the window is filled.
 */
import { forPage } from "./keys";

class Full {
  on = $state(false);

  constructor() {
    document.addEventListener("fullscreenchange", () => (this.on = document.fullscreenElement !== null));
    addEventListener("keydown", (key) => {
      if (key.key === "Escape" && !document.fullscreenElement) this.on = false;
    });
  }

  toggle = async (): Promise<void> => {
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (this.on || !document.fullscreenEnabled) this.on = !this.on;
    else await document.documentElement.requestFullscreen({ navigationUI: "hide" }).catch(() => (this.on = true));
  };

  /** Attach it to what fills the screen: `f` toggles, and the page beneath keeps still. */
  stage = (): (() => void) => {
    document.documentElement.style.overflow = this.on ? "hidden" : "";
    const press = (key: KeyboardEvent) => {
      if (key.key.toLowerCase() === "f" && forPage(key)) void this.toggle();
    };
    addEventListener("keydown", press);
    return () => {
      document.documentElement.style.overflow = "";
      removeEventListener("keydown", press);
    };
  };
}

export const full = new Full();
