/** Many images through the whole system at once: objects that lie in the bucket, their events, their variants. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import pLimit from 'p-limit';

import { createCatalogue } from '../../src/catalogue/postgres.js';
import type { Catalogue } from '../../src/catalogue/catalogue.js';
import type { Config } from '../../src/config/index.js';
import { FINAL_STATES } from '../../src/contracts/assets.js';
import { assetIdOf } from '../../src/contracts/ids.js';
import { createLogger } from '../../src/logging/index.js';
import { createProducer } from '../../src/messaging/kafka.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { OwnProcess } from '../../test/support/worker.js';
import { stamped } from './anew.js';
import { withBenchServers, withProcesses } from './stack.js';

export interface ImagePath {
  readonly config: Config;
  readonly dir: string;
  /** All workers in one process. */
  readonly worker: OwnProcess;
  /**
   * @param file a JPEG, `count` times over, each an upload of bytes of its own
   * @returns seconds from the first event to the last `ready`
   */
  run(file: string, count: number): Promise<number>;
}

/** A bucket that announces nothing: objects are there before the clock starts, and events are sent at once. */
const BUCKET = 'bench';
/** Asking takes a millisecond of a core: seldom enough not to be part of what is measured. */
const POLL_MS = 100;
/** Lines of the worker's log, when something went wrong. */
const LAST_WORDS = 20;
/** Puts at once. */
const UPLOADS = 8;
/** For one image after the other. */
const BOUND_SECONDS = 120;

export async function withImagePath(use: (path: ImagePath) => Promise<void>): Promise<void> {
  await withBenchServers(async (servers) => {
    const { dir } = servers;
    const { storage, starter } = servers.config;
    const config: Config = {
      ...servers.config,
      storage: { ...storage, uploadsBucket: BUCKET },
      starter: { ...starter, maxOpenWorkflows: 0 },
    };
    const store = createObjectStore(config.storage);
    await store.ensureBucket(BUCKET);
    const producer = await createProducer(config.kafka, createLogger({ ...config.log, level: 'warn' }));
    const catalogue = createCatalogue(config.catalogue);
    try {
      await withProcesses(async (start) => {
        const worker = await start('workers/all.js', config);
        await start('starters/kafka/main.js', config);
        const run = async (file: string, count: number): Promise<number> => {
          const bytes = await readFile(file);
          const folder = randomUUID();
          const keys = Array.from({ length: count }, (_, n) => `${folder}/${n}.jpg`);
          const limit = pLimit(UPLOADS);
          const put = async (key: string): Promise<string> => {
            await store.putBytes(BUCKET, key, stamped(bytes), { contentType: 'image/jpeg' });
            const { etag, versionId } = await store.stat(BUCKET, key);
            return assetIdOf({ bucket: BUCKET, key, etag, versionId });
          };
          const ids = await Promise.all(keys.map((key) => limit(put, key)));
          const topic = config.kafka.uploadsTopic;
          const started = performance.now();
          await producer.send(keys.map((key) => ({ topic, key: 'image/jpeg', value: key })));
          await untilReady(catalogue, ids);
          return (performance.now() - started) / 1000;
        };
        await use({ config, dir, worker, run }).catch((error: unknown) => {
          console.error(worker.log.slice(-LAST_WORDS).join('\n'));
          throw error;
        });
      });
    } finally {
      await catalogue.close();
      await producer.close();
    }
  });
}

/** One after the other: which is the last to be ready does not matter. */
async function untilReady(catalogue: Catalogue, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const end = Date.now() + BOUND_SECONDS * 1000;
    for (; ; await sleep(POLL_MS)) {
      const asset = await catalogue.find(id);
      if (asset?.state === 'ready') break;
      if (asset && FINAL_STATES.includes(asset.state))
        throw new Error(`an image ended as ${asset.state}: ${JSON.stringify(asset.error)}`);
      if (Date.now() > end) throw new Error(`${asset?.state ?? 'not begun'} after ${BOUND_SECONDS} s`);
    }
  }
}
