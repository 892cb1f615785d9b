/** How many alerts nobody has acknowledged yet: the number in the bar. */
import * as api from "../api/client";
import type { Updates } from "../api/updates";
import { chime } from "./chime.svelte";

const MOST = 100;

class NewAlerts {
  private ids = $state.raw<ReadonlySet<string>>(new Set());

  get count(): number {
    return this.ids.size;
  }

  /** Keeps the number true until the returned function is called. */
  follow(updates: Updates): () => void {
    const load = async () => {
      const page = await api.alerts({ state: ["new"], limit: MOST }).catch(() => null);
      if (page) this.ids = new Set(page.alerts.map((alert) => alert.id));
    };
    void load();
    const renewed = updates.on("renewed", () => void load());
    const told = updates.on("alert", (alert) => {
      const ids = new Set(this.ids);
      if (alert.state === "new" && !ids.has(alert.id)) chime.ring();
      if (alert.state === "new") ids.add(alert.id);
      else ids.delete(alert.id);
      this.ids = ids;
    });
    return () => {
      renewed();
      told();
    };
  }
}

export const newAlerts = new NewAlerts();
