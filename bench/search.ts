/**
 * Times of searches and lists in a catalogue of a million assets, and the indexes that they use.
 *
 *   npm run bench:search -- [ASSETS [ROUNDS [URL]]]
 *
 * URL: a database for it, which is filled when it is empty and kept; without one, a server of its own. One client asks
 * one question after the other, as `GET /v1/assets` does. Aim: p95 <= 50 ms.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Kysely, PostgresDialect, sql, type CompiledQuery } from 'kysely';
import pg from 'pg';

import type { Tables } from '../src/catalogue/database.js';
import { migrate } from '../src/catalogue/migrate.js';
import { searchAssets, type AssetSearch } from '../src/catalogue/search.js';
import { loadConfig } from '../src/config/index.js';
import { startStack } from '../src/local/stack.js';
import { BIG_TENANT, fill, randomOf, SMALL_TENANT, WORD_LIST, type Catalogue } from './support/search-catalogue.js';

const ASSETS = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = Number(process.argv[3] ?? 20);
const [URL_GIVEN] = process.argv.slice(4);
const AIM_MS = 50;

type Statement = Pick<CompiledQuery, 'sql' | 'parameters'>;

async function withServer(use: (url: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-bench-'));
  const stack = await startStack({ config: loadConfig(), stateDir: dir, ports: 'free', servers: ['postgres'] });
  try {
    await use(stack.config.catalogue.url);
  } finally {
    await stack.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Of a client that turns the pages: how many, in a row. */
type Question = AssetSearch & { readonly pages?: number };

async function measure(url: string): Promise<void> {
  await migrate({ url, poolSize: 1 });
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const statements: Statement[] = [];
  const db: Catalogue = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    log: ({ level, query }) => void (level === 'query' && !/^\s*explain/.test(query.sql) && statements.push(query)),
  });
  try {
    const { rows } = await sql<{ some: boolean }>`select exists (select from assets) as some`.execute(db);
    const started = performance.now();
    if (!rows[0]!.some) {
      await fill(db, ASSETS, (line) => console.error(line));
      console.error(`filled in ${((performance.now() - started) / 1000).toFixed(0)} s`);
    }
    const all: number[] = [];
    for (const [name, question] of Object.entries(QUESTIONS)) {
      const asked = await askOften(db, question, statements);
      all.push(...asked.times);
      const { ms, search } = asked.slowest;
      console.log(`${name.padEnd(34)} ${figures(asked.times)}  ${await indexesOf(pool, asked.slowest.statements)}`);
      if (ms > AIM_MS) console.log(`  slowest: ${JSON.stringify(search)}`);
    }
    console.log(`${`all ${all.length}`.padEnd(34)} ${figures(all)}  (aim: p95 <= ${AIM_MS} ms)`);
  } finally {
    await db.destroy();
  }
}

interface Asked {
  readonly ms: number;
  readonly search: Question;
  readonly statements: readonly Statement[];
}

async function askOften(db: Catalogue, question: (random: () => number) => Question, statements: Statement[]) {
  const random = randomOf(1);
  const asked: Asked[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const search = question(random);
    statements.length = 0;
    const begin = performance.now();
    const pages = await ask(db, search);
    asked.push({ ms: (performance.now() - begin) / pages, search, statements: [...statements] });
  }
  // The first one warms up.
  const counted = asked.slice(1).sort((one, other) => one.ms - other.ms);
  return { times: counted.map(({ ms }) => ms), slowest: counted.at(-1)! };
}

/** @returns how many pages there were, at least 1 */
async function ask(db: Catalogue, { pages = 1, ...search }: Question): Promise<number> {
  let cursor: string | undefined;
  for (let page = 1; ; page += 1) {
    ({ next: cursor } = await searchAssets(db, { ...search, cursor }));
    if (cursor === undefined || page === pages) return page;
  }
}

/** What the planner reads. */
async function indexesOf(pool: pg.Pool, statements: readonly Statement[]): Promise<string> {
  const names = new Set<string>();
  for (const statement of statements) {
    const { rows } = await pool.query<{ 'QUERY PLAN': unknown }>(
      `explain (format json) ${statement.sql}`,
      statement.parameters as unknown[],
    );
    const plan = JSON.stringify(rows);
    for (const [, name] of plan.matchAll(/"Index Name":"([^"]+)"/g)) names.add(name!);
    for (const [, name] of plan.matchAll(/"Node Type":"Seq Scan"[^}]*?"Relation Name":"([^"]+)"/g))
      names.add(`ALL OF ${name!}`);
  }
  return [...names].join(', ');
}

const figures = (times: readonly number[]): string => {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1).padStart(7);
  return `p50 ${at(0.5)}  p95 ${at(0.95)}  max ${at(1)} ms`;
};

const big = { tenant: BIG_TENANT, limit: 50 } as const;

/** A word that so many others are more common than, give or take. */
const word = (random: () => number, rank: number): string =>
  WORD_LIST[Math.min(WORD_LIST.length - 1, Math.floor(rank * (0.5 + random())))]!;

/** One letter wrong. */
function mistyped(text: string): string {
  const at = Math.floor(text.length / 2);
  return `${text.slice(0, at)}x${text.slice(at + 1)}`;
}

const days = (count: number): Date => new Date(Date.now() - count * 86_400_000);

const QUESTIONS: Readonly<Record<string, (random: () => number) => Question>> = {
  newest: () => big,
  'newest, five pages': () => ({ ...big, pages: 5 }),
  oldest: () => ({ ...big, sort: 'oldest' }),
  'by name': () => ({ ...big, sort: 'name' }),
  'largest videos': () => ({ ...big, kind: 'video', sort: 'largest' }),
  longest: () => ({ ...big, sort: 'longest', pages: 3 }),
  failed: () => ({ ...big, state: ['failed'] }),
  'failed or cancelled audio': () => ({ ...big, kind: 'audio', state: ['failed', 'cancelled'] }),
  'images of a week a year ago': () => ({ ...big, kind: 'image', createdAfter: days(372), createdBefore: days(365) }),
  'video above 5 GB': () => ({ ...big, kind: 'video', minBytes: 5e9 }),
  'between 100 and 101 minutes': () => ({ ...big, minDuration: 6000, maxDuration: 6060 }),
  'a common tag': () => ({ ...big, tags: ['tag1'] }),
  'a rare tag': (random) => ({ ...big, tags: [`tag${200 + Math.floor(random() * 99)}`] }),
  'two tags': (random) => ({ ...big, tags: ['tag2', `tag${20 + Math.floor(random() * 60)}`] }),
  'one of the commonest words': (random) => ({ ...big, text: word(random, 3) }),
  'a common word': (random) => ({ ...big, text: word(random, 30) }),
  'a word': (random) => ({ ...big, text: word(random, 300) }),
  'a rare word': (random) => ({ ...big, text: word(random, 8000) }),
  'two common words': (random) => ({ ...big, text: `${word(random, 10)} ${word(random, 30)}` }),
  'three words': (random) => ({ ...big, text: `${word(random, 30)} ${word(random, 100)} ${word(random, 300)}` }),
  'the beginning of a word': (random) => ({ ...big, text: word(random, 300).slice(0, 4) }),
  'the beginning of very many words': (random) => ({ ...big, text: word(random, 300).slice(0, 3) }),
  'a common word, mistyped': (random) => ({ ...big, text: mistyped(word(random, 30)) }),
  'two words, one mistyped': (random) => ({ ...big, text: `${word(random, 30)} ${mistyped(word(random, 300))}` }),
  'a file name': (random) => ({ ...big, text: `IMG_${Math.floor(random() * ASSETS)}.jpg` }),
  'no such word': (random) => ({ ...big, text: `qqxy${word(random, 300)}` }),
  'a word, five pages': (random) => ({ ...big, text: word(random, 100), pages: 5 }),
  'a common word, deep': (random) => ({ ...big, text: word(random, 30), pages: 15 }),
  'a word, largest videos': (random) => ({ ...big, text: word(random, 100), kind: 'video', sort: 'largest' }),
  'a word, failed': (random) => ({ ...big, text: word(random, 100), state: ['failed'] }),
  'a word, last month': (random) => ({ ...big, text: word(random, 100), createdAfter: days(30) }),
  'a common word, a rare tag': (random) => ({ ...big, text: word(random, 10), tags: ['tag150'] }),
  'small tenant: newest': () => ({ ...big, tenant: SMALL_TENANT }),
  'small tenant: a common word': (random) => ({ ...big, tenant: SMALL_TENANT, text: word(random, 10) }),
  'small tenant: a word': (random) => ({ ...big, tenant: SMALL_TENANT, text: word(random, 300) }),
  'images that look alike': (random) => ({ ...big, similarTo: { hash: hex(random), maxDistance: 8 } }),
  'images that look much alike': (random) => ({ ...big, similarTo: { hash: hex(random), maxDistance: 3 } }),
};

const hex = (random: () => number): string =>
  Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('');

if (URL_GIVEN) await measure(URL_GIVEN);
else await withServer(measure);
