/** A small fleet of real workers behind a store proxy: each has a door and a scratch folder of its own, and can die. */
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { WorkflowHandle } from '@temporalio/client';

import type { Catalogue } from '../../src/catalogue/catalogue.js';
import { createCatalogue } from '../../src/catalogue/postgres.js';
import { connectTemporal } from '../../src/client/connection.js';
import type { Config } from '../../src/config/schema.js';
import type { Job } from '../../src/contracts/assets.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { merge } from '../../src/local/addresses.js';
import { createStoreProxy, type StoreProxy } from './store-proxy.js';
import { startProcess, type OwnProcess } from './worker.js';
import { jobOf } from './job.js';

export type Role = 'video' | 'image' | 'media' | 'publish';

/** Three rungs (`RUNGS`) of a small picture, in chunks of 1, 2, 3, 3 ... segments. */
const PROFILE = `
extends: default
description: Small pictures in short chunks.
rungs:
  - { size: 180, codec: h264, crf: 23, capKbps: 800 }
  - { size: 144, codec: h264, crf: 23, capKbps: 500 }
  - { size: 90, codec: h264, crf: 23, capKbps: 300 }
chunkSegments: 3
`;
/** A ladder that takes many times as long as its lowest rung. */
const SLOW_PROFILE = `
extends: default
description: Small pictures, encoded with patience.
rungs:
  - { size: 360, codec: h264, crf: 23, capKbps: 2500 }
  - { size: 288, codec: h264, crf: 23, capKbps: 1500 }
  - { size: 144, codec: h264, crf: 23, capKbps: 500 }
presets: { h264: slow }
chunkSegments: 2
storyboard: off
`;
/** Of which the lowest rung is a small part, also with all that comes beside encoding. */
const HEAVY_PROFILE = `
extends: default
description: Pictures of some size, encoded with patience.
rungs:
  - { size: 720, codec: h264, crf: 22, capKbps: 6000 }
  - { size: 480, codec: h264, crf: 22, capKbps: 3000 }
  - { size: 144, codec: h264, crf: 23, capKbps: 500 }
presets: { h264: slow }
storyboard: off
`;
export const RUNGS = ['180p', '144p', '90p'];

export interface Worker extends OwnProcess {
  /** `video-0`; what the proxy calls it. */
  readonly name: string;
  readonly role: Role;
  readonly scratch: string;
}

export interface Film {
  readonly job: Job;
  readonly handle: WorkflowHandle;
}

/** What is seen from outside. */
export interface Outside {
  readonly store: ObjectStore;
  readonly catalogue: Catalogue;
  readonly mediaBucket: string;
}

export interface Mill extends Outside {
  readonly config: Config;
  readonly proxy: StoreProxy;
  /** Also those that are dead. */
  readonly workers: readonly Worker[];
  start(role: Role): Promise<Worker>;
  /** A worker takes work before it says that it is ready. */
  worker(name: string): Promise<Worker>;
  /** Uploads a file and starts its workflow. @param own what differs from a job of the profile `short-chunks` */
  submit(path: string, key: string, own?: Partial<Job>): Promise<Film>;
  /** Kills whatever still lives. */
  close(): Promise<void>;
}

/** @param dir for scratch folders */
export async function openMill(dir: string, isolated: Config, roles: readonly Role[]): Promise<Mill> {
  const profiles = await mkdtemp(join(dir, 'profiles-'));
  await writeFile(join(profiles, 'short-chunks.yaml'), PROFILE);
  await writeFile(join(profiles, 'slow.yaml'), SLOW_PROFILE);
  await writeFile(join(profiles, 'heavy.yaml'), HEAVY_PROFILE);
  const config = merge(isolated, { profiles: { dir: profiles } });
  const { endpoint, mediaBucket, uploadsBucket } = config.storage;
  const proxy = createStoreProxy(endpoint);
  const workers: Worker[] = [];
  const store = createObjectStore(config.storage);
  const catalogue = createCatalogue(config.catalogue);
  const client = await connectTemporal(config.temporal);
  const starting = new Map<string, Promise<Worker>>();

  async function begin(role: Role, name: string): Promise<Worker> {
    const scratch = await mkdtemp(join(dir, 'scratch-'));
    const own = merge(config, {
      storage: { endpoint: await proxy.door(name), publicUrl: endpoint },
      scratch: { dir: scratch },
    });
    const worker = { ...(await startProcess(`workers/${role}.js`, own, 'worker ready')), name, role, scratch };
    workers.push(worker);
    return worker;
  }

  const mill: Mill = {
    config,
    store,
    catalogue,
    mediaBucket,
    proxy,
    workers,
    start(role) {
      const name = `${role}-${starting.size}`;
      const worker = begin(role, name);
      starting.set(name, worker);
      return worker;
    },
    worker: (name) => starting.get(name)!,
    async submit(path, key, own = {}) {
      await store.putFile(uploadsBucket, key, path, { contentType: 'video/mp4' });
      const { etag, bytes, versionId } = await store.stat(uploadsBucket, key);
      const source = { bucket: uploadsBucket, key, etag, versionId, size: bytes };
      const job = jobOf(source, { profile: 'short-chunks', ...own });
      const { queues } = config;
      const handle = await client.temporal.workflow.start('processVideo', {
        taskQueue: queues.media,
        workflowId: job.workflowId,
        args: [job, queues],
      });
      return { job, handle };
    },
    async close() {
      for (const worker of workers) worker.kill('SIGKILL');
      await Promise.all(workers.map(({ exited }) => exited));
      await proxy.close();
      await catalogue.close();
      await client.close();
    },
  };
  await Promise.all(roles.map((role) => mill.start(role)));
  return mill;
}

/** The last words of every worker, for a test that failed. */
export const lastWords = ({ workers }: Mill): string =>
  workers.map(({ name, log }) => `--- ${name}\n${log.slice(-12).join('\n')}`).join('\n');

/** Files in a worker's scratch folder, relative. */
export async function scratchFiles({ scratch }: Worker): Promise<string[]> {
  const entries = await readdir(scratch, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(scratch.length + 1));
}
