/**
 * `npm run conformance -- [--damage] [DIR]`: submits every file of a folder through the bucket, one
 * after the other, and prints what became of it. Exits with 1 when a worker died, something hung past
 * its bound, or the `verdict` column of a `manifest.tsv` in the folder is contradicted.
 *
 * `--damage`: each of its videos (what the manifest calls `ready` below `video/`; without a manifest
 * every file) cut off at 25, 50, 75 and 99 %, and with seeded bytes turned over. Then `ready` is
 * contradicted by any complaint of an independent decoder that the undamaged file does not give.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

import type { AssetDocument } from '../src/contracts/assets.js';
import { follow } from '../src/starters/cli/follow.js';
import { duration, plain, table } from '../src/starters/cli/format.js';
import { withSession, type Session } from '../src/starters/cli/session.js';
import { upload } from '../src/starters/cli/upload.js';
import { damagedCopies, newComplaints } from '../test/support/damage.js';
import { watchMemory } from './support/memory.js';
import { withBenchStack } from './support/stack.js';

/** Nothing here may take longer, whatever it is. */
const BOUND_SECONDS = 900;

type Verdict = 'ready' | 'error' | 'either';

interface Row {
  readonly file: string;
  readonly document: AssetDocument | undefined;
  readonly seconds: number;
  readonly peakMiB: number;
  readonly problem: string | undefined;
}

const SEEDS = [1, 2, 3];

const args = process.argv.slice(2);
const damaging = args.includes('--damage');
const dir = resolve(args.find((arg) => !arg.startsWith('--')) ?? '../shared/fixtures');
const verdicts = readVerdicts(join(dir, 'manifest.tsv'));
const files = readdirSync(dir, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name !== 'manifest.tsv')
  .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
  .sort();

await withBenchStack(async ({ config, worker, dir: own }) => {
  const rows: Row[] = [];
  await withSession(config, async (session) => {
    for await (const one of damaging ? damaged(own) : files.map(asItIs)) {
      const row = await submitOne(session, one, worker.pid);
      rows.push(row);
      console.log(
        `${row.problem ? 'BAD' : 'ok '}  ${plain(row.file)}  ${row.document?.state ?? 'none'}  ${row.problem ?? ''}`,
      );
    }
  });
  console.log(`\n${table([['FILE', 'KIND', 'STATE OR ERROR', 'RENDITIONS', 'WALL', 'PEAK MiB'], ...rows.map(cells)])}`);
  const bad = rows.filter(({ problem }) => problem);
  for (const { file, problem } of bad) console.log(`BAD  ${plain(file)}: ${problem}`);
  console.log(`\n${rows.length} files, ${bad.length} contradictions`);
  process.exitCode = bad.length === 0 && rows.length > 0 ? 0 : 1;
});

interface Submission {
  readonly file: string;
  readonly path: string;
  contradiction(document: AssetDocument | undefined): Promise<string | undefined>;
}

function asItIs(file: string): Submission {
  return {
    file,
    path: join(dir, file),
    contradiction: (document) => Promise.resolve(contradiction(verdicts.get(file), document)),
  };
}

/** Copies of one file at a time: all of them together may not fit. */
async function* damaged(own: string): AsyncGenerator<Submission> {
  const videos =
    verdicts.size === 0 ? files : files.filter((f) => f.startsWith('video/') && verdicts.get(f) === 'ready');
  for (const video of videos) {
    const folder = join(own, 'damaged');
    mkdirSync(folder);
    const original = join(dir, video);
    for (const path of await damagedCopies(original, folder, SEEDS)) {
      yield {
        file: relative(folder, path),
        path,
        contradiction: async (document) => {
          const problem = contradiction(undefined, document);
          if (problem !== undefined || document?.state !== 'ready') return problem;
          const wrong = await newComplaints(path, original);
          return wrong.length > 0 ? `ready, though its decoder says: ${wrong[0]}` : undefined;
        },
      };
    }
    rmSync(folder, { recursive: true });
  }
}

async function submitOne(
  session: Session,
  { file, path, contradiction: check }: Submission,
  worker: number,
): Promise<Row> {
  const started = Date.now();
  const memory = watchMemory(worker);
  const one = await upload(session, path, {});
  const outcome = await Promise.race([follow(session, [one], () => undefined), bound()]);
  const peakMiB = memory.stop();
  const document = outcome?.[0]?.document;
  const seconds = (Date.now() - started) / 1000;
  const problem = workerGone(worker) ?? (outcome ? await check(document) : `no end within ${BOUND_SECONDS} s`);
  return { file, document, seconds, peakMiB, problem };
}

function contradiction(verdict: Verdict | undefined, document: AssetDocument | undefined): string | undefined {
  if (!document) return 'no workflow came of it';
  const { state, error } = document;
  if (state !== 'ready' && state !== 'failed' && state !== 'partial') return `ended as ${state}`;
  if (state === 'failed' && error?.code === 'INTERNAL') return 'failed for a reason of ours';
  if (verdict === 'ready' && state !== 'ready') return `expected ready: ${error?.code ?? state}`;
  if (verdict === 'error' && state !== 'failed') return `expected an error, got ${state}`;
  return undefined;
}

function cells({ file, document, seconds, peakMiB }: Row): string[] {
  const outcome = document?.error?.code ?? document?.state ?? 'none';
  return [
    plain(file),
    document?.kind ?? '-',
    outcome,
    String(document?.renditions.length ?? 0),
    duration(seconds),
    peakMiB.toFixed(0),
  ];
}

function workerGone(pid: number): string | undefined {
  return existsSync(`/proc/${pid}`) ? undefined : 'the worker died';
}

function readVerdicts(path: string): Map<string, Verdict> {
  if (!existsSync(path)) return new Map();
  const rows = readFileSync(path, 'utf8').trim().split('\n').slice(1);
  return new Map(rows.map((row) => row.split('\t')).map(([file = '', verdict = '']) => [file, verdict as Verdict]));
}

async function bound(): Promise<undefined> {
  return new Promise((resolve_) => setTimeout(() => resolve_(undefined), BOUND_SECONDS * 1000).unref());
}
