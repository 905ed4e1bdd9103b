/** A catalogue of invented assets: words as common and as rare as in a language, seeded. */
import { sql, type Kysely } from 'kysely';

import type { Tables } from '../../src/catalogue/database.js';

export type Catalogue = Kysely<Tables>;

export const BIG_TENANT = 'big';
export const SMALL_TENANT = 'small';
/** One asset of so many is the small tenant's. */
const SMALL_SHARE = 200;
const BATCH = 5_000;
const WORDS = 20_000;
const TAGS = 300;
const YEARS_MS = 3 * 365 * 86_400_000;

/** Mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The first is the most common. */
export const WORD_LIST: readonly string[] = inventWords();

function inventWords(): string[] {
  const random = randomOf(7);
  const pick = (letters: string): string => letters[Math.floor(random() * letters.length)]!;
  const syllable = (): string => pick('bdfghklmnprstvwz') + pick('aeiou') + (random() < 0.4 ? pick('lmnrst') : '');
  const words = new Set<string>();
  while (words.size < WORDS) words.add(Array.from({ length: 2 + Math.floor(random() * 3) }, syllable).join(''));
  return [...words];
}

/** Zipf: the word of rank r comes once for every r times of the first. */
const zipf = (random: () => number, size: number): number => Math.floor(size ** random()) - 1;

/** Fills an empty catalogue. Indexes are made afterwards, which is quicker; they are those of the migrations. */
export async function fill(db: Catalogue, rows: number, say: (line: string) => void): Promise<void> {
  const indexes = await sql<{ name: string; definition: string }>`
    select c.relname as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid in ('assets'::regclass, 'asset_vocabulary'::regclass) and not i.indisunique`.execute(db);
  for (const { name } of indexes.rows) await sql`drop index ${sql.ref(name)}`.execute(db);
  await sql`alter table assets disable trigger assets_learn_words`.execute(db);
  const random = randomOf(42);
  const start = Date.now() - YEARS_MS;
  for (let first = 0; first < rows; first += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, rows - first) }, (_, n) =>
      asset(random, first + n, start + ((first + n) / rows) * YEARS_MS),
    );
    await insert(db, batch);
    if (first % (50 * BATCH) === 0) say(`${first} of ${rows} assets`);
  }
  await sql`alter table assets enable trigger assets_learn_words`.execute(db);
  await sql`
    insert into asset_vocabulary
    select distinct tenant, word from assets, unnest(tsvector_to_array(words)) as word
    where length(word) between 3 and 40 and word !~ '[0-9]{3}'`.execute(db);
  await sql`set maintenance_work_mem = '512MB'`.execute(db);
  for (const { name, definition } of indexes.rows) {
    say(name);
    await sql.raw(definition).execute(db);
  }
  await sql`vacuum analyze assets`.execute(db);
  await sql`vacuum analyze asset_vocabulary`.execute(db);
}

function asset(random: () => number, n: number, createdAt: number) {
  const words = (count: number): string[] =>
    Array.from({ length: count }, () => WORD_LIST[Math.max(0, zipf(random, WORDS))]!);
  const id = n.toString(16).padStart(24, '0');
  const kind = random() < 0.5 ? 'video' : random() < 0.8 ? 'image' : 'audio';
  const state = random() < 0.92 ? 'ready' : (['partial', 'failed', 'deleted', 'cancelled'] as const)[n % 4]!;
  const published = state === 'ready' || state === 'partial';
  const extension = { video: 'mp4', image: 'jpg', audio: 'm4a' }[kind];
  const file = random() < 0.5 ? `IMG_${n}.${extension}` : `${words(2).join('_')}-${n % 1000}.${extension}`;
  return {
    ...{ id, workflow_id: `media/uploads/${id}/1`, bucket: 'uploads', key: `${id}/${file}`, version: '1' },
    tenant: n % SMALL_SHARE === 0 ? SMALL_TENANT : BIG_TENANT,
    ...{ kind, state, begun: 1, generation: published ? 1 : 0 },
    title: random() < 0.8 ? words(2 + Math.floor(random() * 5)).join(' ') : null,
    file_name: file,
    tags: Array.from({ length: Math.floor(random() * 5) }, () => `tag${Math.max(0, zipf(random, TAGS))}`),
    metadata: { author: words(2).join(' '), place: words(1)[0]! },
    bytes: Math.floor(1e4 * 10 ** (random() * 6)),
    duration: kind === 'image' ? null : random() ** 3 * 7200,
    hash: kind === 'image' && published ? hashOf(random) : null,
    created_at: new Date(createdAt + random() * 1000).toISOString(),
    document: published ? documentOf(id) : null,
  };
}

/** One picture of twenty is one of a thousand motifs, a few bits changed. */
function hashOf(random: () => number): string {
  const own = random() >= 0.05;
  const motif = randomOf(Math.floor(random() * 1000));
  let bits = Array.from({ length: 64 }, () => ((own ? random() : motif()) < 0.5 ? '0' : '1'));
  if (!own) bits = bits.map((bit) => (random() < 0.05 ? (bit === '0' ? '1' : '0') : bit));
  return bits.join('');
}

/** Of the size that a video's document has. */
const documentOf = (id: string): object => ({
  ...{ id, workflowId: `media/uploads/${id}/1`, kind: 'video', state: 'ready' },
  renditions: ['240p', '360p', '480p', '720p', '1080p', 'audio-0-und', 'poster.jpg', 'storyboard'].map((name, n) => ({
    ...{ name, type: 'video', mime: 'application/vnd.apple.mpegurl', width: 320 + n, height: 240 + n },
    ...{ codecs: 'avc1.640028', bitrate: 1_000_000 + n, bytes: 10_000_000 + n, duration: 60.04 },
    url: `https://media.example/media/assets/${id}/g1/video/${name}/index.m3u8`,
  })),
  playback: { hls: `https://media.example/media/assets/${id}/g1/master.m3u8` },
});

async function insert(db: Catalogue, rows: readonly object[]): Promise<void> {
  await sql`
    insert into assets (id, workflow_id, bucket, key, version, tenant, kind, state, begun, generation, title, file_name,
      tags, metadata, bytes, duration, perceptual_hash, created_at, document)
    select id, workflow_id, bucket, key, version, tenant, kind, state, begun, generation, title, file_name,
      array(select jsonb_array_elements_text(tags)), metadata, bytes, duration, hash::bit(64), created_at, document
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (id text, workflow_id text, bucket text, key text,
      version text, tenant text, kind text, state text, begun integer, generation integer, title text, file_name text,
      tags jsonb, metadata jsonb, bytes bigint, duration double precision, hash text, created_at timestamptz,
      document jsonb)`.execute(db);
}
