/**
 * A worker dies in every phase of a video. The store proxy sees what a worker is about to ask for, and
 * kills it before the store is asked: so it dies in the very phase that is meant, which is not done.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { outputPrefix } from '../../src/contracts/assets.js';
import type { ProcessSummary } from '../../src/contracts/summary.js';
import { makeVideo } from '../../src/local/samples.js';
import { expectFinished } from '../support/finished.js';
import {
  lastWords,
  openMill,
  RUNGS,
  scratchFiles,
  type Film,
  type Mill,
  type Role,
  type Worker,
} from '../support/mill.js';
import { useStack } from '../support/stack.js';
import type { StoreRequest } from '../support/store-proxy.js';

const SECONDS = 20;
const FPS = 25;
/** Of each segment: chunks are segment 0, 1-2 and 3-4. */
const CHUNK_OF = [0, 1, 1, 2, 2];

interface Phase {
  readonly phase: string;
  /** Three videos share the phases, so that three of them can be in another phase each. */
  readonly film: 'a' | 'b' | 'c';
  readonly role: Role;
  /** A request that comes in this phase only. */
  readonly at: RegExp;
}

const PHASES: readonly Phase[] = [
  { phase: 'inspect', film: 'a', role: 'video', at: /^GET a\.mp4/ },
  { phase: 'audio', film: 'a', role: 'video', at: /^PUT audio\/[^/]+\/seg-00002\.m4s/ },
  { phase: 'verify', film: 'a', role: 'publish', at: /^GET video\/144p\/seg-00003\.m4s/ },
  { phase: 'first segment', film: 'b', role: 'video', at: /^PUT video\/90p\/seg-00000\.m4s/ },
  { phase: 'poster', film: 'b', role: 'image', at: /^PUT images\/poster/ },
  { phase: 'publish: playlists', film: 'b', role: 'publish', at: /^PUT video\/144p\/index\.m3u8/ },
  { phase: 'middle of a chunk', film: 'c', role: 'video', at: /^PUT video\/180p\/seg-00004\.m4s/ },
  { phase: 'storyboard', film: 'c', role: 'image', at: /^PUT storyboard\/sheet/ },
  { phase: 'publish: asset.json', film: 'c', role: 'publish', at: /^PUT asset\.json/ },
];

interface Death {
  readonly phase: string;
  readonly worker: Worker;
  readonly at: StoreRequest;
  /** Segments, of any asset, that lay finished in its scratch folder: `<asset id> <rung> <segment>`. */
  readonly finished: string[];
}

const stack = useStack();
const films = new Map<Phase['film'], Film>();
const deaths: Death[] = [];
let dir: string;
let mill: Mill;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-phases-'));
  const sample = await makeVideo(join(dir, 'sample.mp4'), { seconds: SECONDS, width: 320, height: 180, fps: FPS });
  mill = await openMill(dir, await stack.isolated(), [
    'video',
    'video',
    'image',
    'image',
    'media',
    'publish',
    'publish',
  ]);
  const replacements: Promise<unknown>[] = [];
  mill.proxy.fault = async (request) => {
    const worker = await mill.worker(request.by);
    // A dead worker's last requests may still be on their way.
    if (deaths.some((death) => death.worker === worker)) return 'drop';
    const phase = PHASES.find((one) => one.role === worker.role && isIn(one, request))?.phase;
    if (phase === undefined) return undefined;
    worker.kill('SIGKILL');
    const finished: string[] = [];
    deaths.push({ phase, worker, at: request, finished });
    const autopsy = async (): Promise<void> => {
      await worker.exited;
      finished.push(...(await scratchFiles(worker)).flatMap(finishedSegment));
    };
    // Another one comes, as whatever watches over workers sees to.
    replacements.push(autopsy(), mill.start(worker.role));
    return 'drop';
  };
  try {
    for (const name of ['a', 'b', 'c'] as const) films.set(name, await mill.submit(sample, `${name}.mp4`));
    await Promise.all([...films.values()].map(({ handle }) => handle.result()));
    await Promise.all(replacements);
  } catch (error) {
    throw new Error(`${String(error)}\n${lastWords(mill)}`, { cause: error });
  }
}, 300_000);

afterAll(async () => {
  await mill?.close();
  await rm(dir, { recursive: true });
});

function isIn({ phase, film, at }: Phase, { method, key }: StoreRequest): boolean {
  if (deaths.some((death) => death.phase === phase)) return false;
  const job = films.get(film)?.job;
  const prefix = job && outputPrefix(job.assetId, job.generation);
  return at.test(`${method} ${prefix && key.startsWith(prefix) ? key.slice(prefix.length) : key}`);
}

/** A finished segment has its final name; the one that is being written has not. */
function finishedSegment(path: string): string[] {
  const found = /([0-9a-f]{24})-[^/]*\/(\d+p)\/seg-(\d+)\.m4s$/.exec(path);
  return found ? [`${found[1]} ${found[2]} ${Number(found[3])}`] : [];
}

test.each(PHASES)('a worker was killed in its phase: $phase', async ({ phase }) => {
  const death = deaths.filter((one) => one.phase === phase);
  expect(death).toHaveLength(1);
  expect(death[0]!.at.status).toBeUndefined();
  expect(await death[0]!.worker.exited).toBe('SIGKILL');
});

test.each(['a', 'b', 'c'] as const)('video %s, killed three times, is whole, with nothing left over', async (name) => {
  const { job, handle } = films.get(name)!;
  expect((await handle.result()) as ProcessSummary).toMatchObject({ state: 'ready', missing: [] });
  await expectFinished(mill, job, SECONDS * FPS);
});

test('of every rung, at most one segment of each chunk in hand is encoded again for each death', () => {
  const dead = new Map(deaths.map(({ worker, finished }) => [worker.name, finished]));
  for (const { job } of films.values()) {
    const prefix = outputPrefix(job.assetId, job.generation);
    for (const rung of RUNGS) {
      /** Whose segments were made again: those that it asked to be stored, and those that it had finished for that. */
      const again = new Map<string, Set<number>>();
      const note = (by: string, segment: number) => again.set(by, (again.get(by) ?? new Set()).add(segment));
      const lastBy = new Map<number, string>();
      for (const { method, key, by } of mill.proxy.requests) {
        if (method !== 'PUT' || !key.startsWith(`${prefix}video/${rung}/seg-`)) continue;
        const segment = Number(/(\d+)\.m4s$/.exec(key)![1]);
        const before = lastBy.get(segment);
        if (before !== undefined) note(before, segment);
        lastBy.set(segment, by);
      }
      for (const [name, finished] of dead)
        for (const line of finished)
          if (line.startsWith(`${job.assetId} ${rung} `)) note(name, Number(line.split(' ')[2]));

      expect([...again.keys()].filter((by) => !dead.has(by))).toEqual([]);
      // A worker may be at two chunks at once, each a step of its own.
      for (const segments of again.values()) {
        const chunks = [...segments].map((segment) => CHUNK_OF[segment]);
        expect(chunks).toEqual([...new Set(chunks)]);
      }
      // Nobody went on with fewer than all of them.
      expect([...lastBy.keys()].sort()).toEqual([0, 1, 2, 3, 4]);
    }
  }
});
