/** thumbor, a well-known image server, as a peer: one request per variant, as it is meant to be used. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import getPort from 'get-port';
import pLimit from 'p-limit';

import type { ImageVariant } from '../../src/contracts/image.js';
import { serverCacheDir } from '../../src/local/find.js';
import { until } from '../../test/support/processes.js';

const run = promisify(execFile);
const VERSION = '7.8.0';

export interface Thumbor {
  /** @returns seconds for `count` images with all their variants */
  run(file: string, count: number, variants: readonly ImageVariant[]): Promise<number>;
}

/** Installs it with pip into a virtual environment below the cache folder, once. @throws where that can't be */
async function install(): Promise<string> {
  const home = join(dirname(serverCacheDir()), 'bench', `thumbor-${VERSION}`);
  const program = join(home, 'bin/thumbor');
  if (existsSync(program)) return program;
  await mkdir(dirname(home), { recursive: true });
  await run('python3', ['-m', 'venv', home]);
  await run(join(home, 'bin/pip'), ['install', '--quiet', `thumbor==${VERSION}`]);
  return program;
}

/**
 * @param folder of the sources
 * @param processes of the server, and requests at once
 */
export async function withThumbor<T>(
  folder: string,
  processes: number,
  use: (thumbor: Thumbor) => Promise<T>,
): Promise<T> {
  const program = await install();
  const conf = join(folder, 'thumbor.conf');
  await writeFile(conf, configuration(folder));
  const port = await getPort();
  // A group of its own: the server forks.
  const server = spawn(program, ['-p', `${port}`, '-i', '127.0.0.1', '-c', conf, '--processes', `${processes}`], {
    detached: true,
    stdio: 'ignore',
  });
  const base = `http://127.0.0.1:${port}`;
  try {
    await until('thumbor answers', () => fetch(`${base}/healthcheck`).then(({ ok }) => ok, () => false), 30_000); // prettier-ignore
    return await use({
      async run(file, count, variants) {
        const limit = pLimit(processes);
        const urls = variants.map(
          (variant) => [`${base}/unsafe/${request(variant)}/${basename(file)}`, variant] as const,
        );
        const started = performance.now();
        await Promise.all(Array.from({ length: count }, () => urls.map((url) => limit(() => get(...url)))).flat());
        return (performance.now() - started) / 1000;
      },
    });
  } finally {
    await stop(server);
  }
}

const configuration = (folder: string): string => `
LOADER = 'thumbor.loaders.file_loader'
FILE_LOADER_ROOT_PATH = ${JSON.stringify(folder)}
STORAGE = 'thumbor.storages.no_storage'
RESULT_STORAGE = None
ALLOW_UNSAFE_URL = True
PRESERVE_EXIF_INFO = False
RESPECT_ORIENTATION = True
AVIF_SPEED = 10
`;

/** Where both sides are named it crops around the middle. */
const request = ({ width, height, fit, format, quality }: ImageVariant): string =>
  `${width}x${fit === 'cover' ? height : 0}/filters:format(${format}):quality(${quality})`;

async function get(url: string, { name, format }: ImageVariant): Promise<void> {
  const response = await fetch(url);
  const type = response.headers.get('content-type');
  await response.arrayBuffer();
  if (type !== `image/${format}`) throw new Error(`thumbor made ${type} of ${name} (${response.status})`);
}

async function stop(server: ChildProcess): Promise<void> {
  const ended = once(server, 'close');
  process.kill(-server.pid!, 'SIGTERM');
  await ended;
}
