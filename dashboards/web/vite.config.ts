import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const server = process.env.CAMERA_HUB ?? "http://127.0.0.1:8787";

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  // Component tests need Svelte's browser build, not the one for rendering on a server.
  resolve: mode === "test" ? { conditions: ["browser"] } : {},
  build: {
    outDir: fileURLToPath(new URL("../../camera_hub/server/dashboard", import.meta.url)),
    emptyOutDir: true,
    // Old phones are common where this is used.
    target: ["chrome90", "firefox90", "safari15"],
    // The server's content security policy has no place for data: scripts or inlined assets.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // The cookie is SameSite and unsafe methods check Origin, so the proxy speaks as the server's own page.
    proxy: { "/api": { target: server, changeOrigin: true, headers: { origin: server } } },
  },
  test: { environment: "happy-dom", include: ["tests/**/*.test.ts"] },
}));
