/** The page: `npm run build` makes it into `dist/web`; `npx vite web` serves it while one works on it, beside a running `mediamill up`. */
import { defineConfig } from 'vite';

const API = process.env.MEDIAMILL_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  root: import.meta.dirname,
  // Not `assets`: that is a path of the page.
  build: {
    assetsDir: 'static',
    outDir: '../dist/web',
    emptyOutDir: true,
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // A data URL would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // hls.js is loaded when something is played.
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: ['index.html', 'embed.html'].map((name) => `${import.meta.dirname}/${name}`) },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  server: { proxy: { '/v1': API, '/page': API } },
});
