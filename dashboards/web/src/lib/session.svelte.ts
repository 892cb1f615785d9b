/** Who is signed in: the one state that the whole dashboard shares. */
import * as api from "../api/client";
import type { Session } from "../api/types";
import { Updates } from "../api/updates";
import { switchOff } from "./push";

class SessionState {
  /** undefined until the server has been asked. */
  user = $state.raw<Session["user"] | null | undefined>(undefined);
  private rights = $state.raw<readonly string[]>([]);
  /** Whether the session ended by itself while somebody was at work. */
  expired = $state(false);
  readonly updates = new Updates(() => this.ask());

  constructor() {
    api.onSignedOut(() => {
      if (this.user) this.expired = true;
      this.leave();
    });
  }

  /** Asks the server who we are; gives false when the answer is nobody. An unreachable server changes nothing. */
  async ask(): Promise<boolean> {
    try {
      this.enter(await api.session());
    } catch (error) {
      if (error instanceof api.ApiError && error.status === 401) return false;
    }
    return true;
  }

  /** Whether the server would do what needs this right. */
  may(right: string): boolean {
    return this.rights.includes(right);
  }

  async signIn(name: string, password: string): Promise<void> {
    this.enter(await api.signIn(name, password));
  }

  /** This browser is told of nothing any more: whoever comes next is somebody else. */
  async signOut(): Promise<void> {
    await switchOff().catch(() => undefined);
    await api.signOut();
    this.leave();
  }

  private enter(session: Session): void {
    this.expired = false;
    if (this.user) return;
    this.user = session.user;
    this.rights = session.rights;
    this.updates.open();
  }

  private leave(): void {
    this.user = null;
    this.updates.close();
  }
}

export const session = new SessionState();
