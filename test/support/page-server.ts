/** Serves the pages with the real players: another origin than the HTTP server, as in life. */
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['test/players/page/index.html', 'text/html'],
  '/page.mjs': ['test/players/page/page.mjs', 'text/javascript'],
  '/hls.mjs': ['node_modules/hls.js/dist/hls.mjs', 'text/javascript'],
  '/shaka.js': ['node_modules/shaka-player/dist/shaka-player.compiled.js', 'text/javascript'],
};

export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function servePages(): Promise<PageServer> {
  const server = createServer((request, response) => {
    const [file, type] = FILES[new URL(request.url ?? '/', 'http://page').pathname] ?? [];
    if (!file) response.writeHead(404).end();
    else createReadStream(join(root, file)).pipe(response.writeHead(200, { 'content-type': type }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
