// Shows alerts that the hub pushes while the dashboard is closed, and opens them. It keeps nothing and answers no requests.
const POST = { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" } };

self.addEventListener("push", (event) => {
  const told = read(event.data);
  const link = told.link || "/alerts";
  const options = {
    body: told.body,
    tag: told.tag,
    icon: "/icon-192.png",
    badge: "/badge.png",
    image: told.picture || undefined,
    data: { link },
    actions: told.acknowledge ? [{ action: "acknowledge", title: told.acknowledge }] : [],
    requireInteraction: Boolean(told.urgent),
    renotify: Boolean(told.tag),
    vibrate: told.urgent ? [300, 120, 300, 120, 300] : [200],
  };
  event.waitUntil(self.registration.showNotification(told.title || "Camera Hub", options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { link } = event.notification.data;
  const work = [open(new URL(link, self.location.origin))];
  if (event.action === "acknowledge") work.push(acknowledge(`/api${link}`));
  event.waitUntil(Promise.all(work));
});

// The push service gives the browser another address now and then: the hub has to know it.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(resubscribe(event)));

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/** What does not read as the hub's is told all the same: a browser wants to see every push. */
function read(data) {
  try {
    return data.json() || {};
  } catch {
    return {};
  }
}

/** The page that shows it already comes to the front; else one that is open goes there; else a new one. */
async function open(link) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => new URL(page.url).pathname === link.pathname);
  const page = there || pages[0];
  try {
    const front = await page.focus();
    if (!there) await front.navigate(link.href);
  } catch {
    await self.clients.openWindow(link.href);
  }
}

/** Where somebody was first, or nobody is signed in, the page that opens says how it stands. */
async function acknowledge(address) {
  const there = await fetch(address, { credentials: "same-origin" });
  if (!there.ok) return;
  const { version } = (await there.json()).alert;
  await fetch(`${address}/acknowledge`, { ...POST, body: JSON.stringify({ version }) });
}

async function resubscribe({ oldSubscription, newSubscription }) {
  const options = oldSubscription && oldSubscription.options;
  const fresh = newSubscription || (options && (await self.registration.pushManager.subscribe(options)));
  if (!fresh) return;
  const { endpoint, keys } = fresh.toJSON();
  const replaces = oldSubscription ? oldSubscription.endpoint : undefined;
  await fetch("/api/push", { ...POST, body: JSON.stringify({ endpoint, ...keys, replaces }) });
}
