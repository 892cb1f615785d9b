/** How it stands with pushing to this browser, for what shows it and switches it on. */
import { ApiError } from "../api/client";
import { language, t } from "../i18n/index.svelte";
import { PUSH_CHANGED, pushState, type PushState, switchOn } from "./push";
import { session } from "./session.svelte";
import { toast } from "./toast";

export class PushHere {
  /** null until it is known. */
  now = $state<PushState | null>(null);
  working = $state(false);

  /** Keeps it true until the returned function is called. */
  follow = (): (() => void) => {
    const look = () => void pushState(this.user).then((found) => (this.now = found), () => (this.now = "unsupported"));
    look();
    addEventListener(PUSH_CHANGED, look);
    return () => removeEventListener(PUSH_CHANGED, look);
  };

  on = async (): Promise<void> => {
    this.working = true;
    try {
      this.now = await switchOn(this.user, language.current);
      if (this.now === "on") toast(t().push.done);
    } catch (error) {
      toast(error instanceof ApiError && error.status === 409 ? t().push.tooMany : t().push.failed);
    }
    this.working = false;
  };

  private get user(): string {
    return session.user?.name ?? "";
  }
}
