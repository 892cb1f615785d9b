/** How many alerts nobody has acknowledged yet: the number in the bar. */
import * as api from "../api/client";
import type { Alert } from "../api/types";
import type { Updates } from "../api/updates";
import { chime } from "./chime.svelte";

const MOST = 100;

function counted(ids: ReadonlySet<string>, alert: Alert): ReadonlySet<string> {
  const now = new Set(ids);
  if (alert.state === "new") now.add(alert.id);
  else now.delete(alert.id);
  return now;
}

class NewAlerts {
  private ids = $state.raw<ReadonlySet<string>>(new Set());

  get count(): number {
    return this.ids.size;
  }

  /** Keeps the number true until the returned function is called. */
  follow(updates: Updates): () => void {
    // What is told while an answer is on its way is younger than the answer.
    let meanwhile: Alert[] | null = null;
    const load = async () => {
      const told: Alert[] = (meanwhile = []);
      const page = await api.alerts({ state: ["new"], limit: MOST }).catch(() => null);
      if (told !== meanwhile) return;
      meanwhile = null;
      if (page) this.ids = told.reduce(counted, new Set(page.alerts.map((alert) => alert.id)));
    };
    void load();
    const renewed = updates.on("renewed", () => void load());
    const told = updates.on("alert", (alert) => {
      if (alert.state === "new" && !this.ids.has(alert.id)) chime.ring();
      meanwhile?.push(alert);
      this.ids = counted(this.ids, alert);
    });
    return () => {
      renewed();
      told();
    };
  }
}

export const newAlerts = new NewAlerts();
