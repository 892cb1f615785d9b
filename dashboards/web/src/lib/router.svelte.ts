/** Which page is shown: the address bar, as typed routes. The server answers each of these paths with the same shell. */

export type Route =
  | { page: "wall" }
  | { page: "camera"; id: string }
  | { page: "lookback"; id: string }
  | { page: "events" }
  | { page: "event"; id: string }
  | { page: "alerts" }
  | { page: "alert"; id: string }
  | { page: "rules" }
  | { page: "channels" }
  | { page: "sites" }
  | { page: "why" }
  | { page: "unknown" };

export function parse(path: string): Route {
  const [first, second, ...more] = path.split("/").filter(Boolean);
  if (first === undefined) return { page: "wall" };
  if (more.length === 0 && second !== undefined) {
    const id = decode(second);
    if (first === "cameras" && id) return { page: "camera", id };
    if (first === "events" && id) return { page: "event", id };
    if (first === "alerts" && id) return { page: "alert", id };
  }
  if (first === "cameras" && second !== undefined && more.join("/") === "lookback") {
    const id = decode(second);
    if (id) return { page: "lookback", id };
  }
  if (second === undefined && first === "events") return { page: "events" };
  if (second === undefined && first === "alerts") return { page: "alerts" };
  if (second === undefined && first === "channels") return { page: "channels" };
  if (second === undefined && first === "rules") return { page: "rules" };
  if (second === undefined && first === "sites") return { page: "sites" };
  if (second === undefined && first === "why") return { page: "why" };
  return { page: "unknown" };
}

function decode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

class Router {
  route = $state.raw<Route>(parse(location.pathname));
  query = $state.raw(new URLSearchParams(location.search));
  /** Whether the last change was the browser's back or forward. */
  popped = false;

  /** Follows back, forward and clicks on links of our own; returns what undoes it. */
  start(): () => void {
    history.scrollRestoration = "manual";
    const pop = () => this.read(true);
    addEventListener("popstate", pop);
    document.addEventListener("click", this.click);
    return () => {
      removeEventListener("popstate", pop);
      document.removeEventListener("click", this.click);
    };
  }

  go(address: string): void {
    history.pushState(null, "", address);
    this.read(false);
    scrollTo(0, 0);
  }

  /** Changes the query of the page in place: no new step in the history. */
  setQuery(query: URLSearchParams): void {
    const text = query.toString();
    history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
    this.query = new URLSearchParams(text);
  }

  private read(popped: boolean): void {
    this.popped = popped;
    this.route = parse(location.pathname);
    this.query = new URLSearchParams(location.search);
  }

  private click = (click: MouseEvent): void => {
    if (click.defaultPrevented || click.button !== 0 || click.metaKey || click.ctrlKey || click.shiftKey) return;
    const link = (click.target as Element | null)?.closest?.("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.pathname.startsWith("/api/") || link.hash) return;
    click.preventDefault();
    this.go(link.pathname + link.search);
  };
}

export const router = new Router();
