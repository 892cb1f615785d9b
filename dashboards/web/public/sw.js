// Shows alerts that the hub pushes while the dashboard is closed, and opens them. It keeps nothing and answers no requests.
self.addEventListener("push", (event) => {
  const told = event.data ? event.data.json() : {};
  const options = {
    body: told.body,
    tag: told.tag,
    icon: "/icon.svg",
    badge: "/icon.svg",
    image: told.picture || undefined,
    data: { link: told.link || "/alerts" },
    requireInteraction: Boolean(told.urgent),
    renotify: Boolean(told.tag),
  };
  event.waitUntil(self.registration.showNotification(told.title || "Camera Hub", options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const link = new URL(event.notification.data.link, self.location.origin);
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((pages) => {
      const open = pages.find((page) => new URL(page.url).origin === link.origin);
      return open ? open.focus().then((page) => page.navigate(link.href)) : self.clients.openWindow(link.href);
    }),
  );
});

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
