/** The queue of uploads: what is sent, what waits, what was refused. */
import { call, Refusal } from '../lib/api.js';
import { Cell } from '../lib/cell.js';
import { announce } from '../lib/say.js';
import { allKept, forget, keep, keeping, type Kept } from './kept.js';
import type { Sending } from './send.js';

/** `lost`: the page was loaded anew and the file has to be chosen again. `refused`: nothing will change that. */
export type Phase = 'checking' | 'waiting' | 'sending' | 'paused' | 'lost' | 'done' | 'refused' | 'failed';

export interface Item {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly phase: Phase;
  /** Bytes. */
  readonly sent: number;
  /** Bytes a second, over the last few seconds. */
  readonly speed?: number | undefined;
  /** Why it stands still, or was refused. */
  readonly reason?: string | undefined;
  readonly code?: string | undefined;
  readonly assetId?: string | undefined;
}

/** The rest of a 10 Mbit/s line is shared by more: each of them would end later, none sooner. */
const AT_ONCE = 3;
/** What the server looks at to tell what a file is. Bytes. */
const HEAD = 65_536;

export const items = new Cell<readonly Item[]>([]);

interface Job {
  file: File | undefined;
  kept: Kept;
  sending?: Sending;
  samples: { at: number; sent: number }[];
}
const jobs = new Map<string, Job>();

const change = (id: string, fields: Partial<Item>): void => {
  items.value = items.value.map((item) => (item.id === id ? { ...item, ...fields } : item));
};
const find = (id: string): Item | undefined => items.value.find((item) => item.id === id);
const isSame = (kept: Kept, file: File): boolean =>
  kept.name === file.name && kept.size === file.size && kept.lastModified === file.lastModified;

export function add(files: readonly File[]): void {
  for (const file of files) {
    const lost = items.value.find(({ id, phase }) => phase === 'lost' && isSame(jobs.get(id)!.kept, file));
    if (lost) {
      jobs.get(lost.id)!.file = file;
      change(lost.id, { phase: 'waiting', reason: undefined });
    } else {
      begin(file);
    }
  }
  next();
}

function begin(file: File): void {
  const id = crypto.randomUUID();
  const { name, size, type, lastModified } = file;
  const kept: Kept = { id, name, size, type, lastModified, file: keeping(file) };
  jobs.set(id, { file, kept, samples: [] });
  items.value = [...items.value, { id, name, size, phase: 'checking', sent: 0 }];
  void check(id, file);
}

/** The server's own judgement on the first bytes and the size, before the others are sent. */
async function check(id: string, file: File): Promise<void> {
  try {
    await call(`/page/upload-checks?size=${file.size}`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: await file.slice(0, HEAD).arrayBuffer(),
    });
  } catch (error) {
    // Whether it is welcome, the upload itself will be told: this only saves the way.
    if (error instanceof Refusal && [413, 415, 422].includes(error.status)) return refuse(id, error);
    if (!(error instanceof Refusal)) {
      change(id, { phase: 'refused', reason: 'The file can not be read. It may have been moved, or it is a folder.' });
      return;
    }
  }
  if (!find(id)) return;
  change(id, { phase: 'waiting' });
  next();
}

function refuse(id: string, { message, error }: Refusal): void {
  const item = find(id);
  change(id, { phase: 'refused', reason: message, code: error?.code, speed: undefined });
  void forget(id);
  if (item) announce(`${item.name} was refused: ${message}`);
}

function next(): void {
  const free = AT_ONCE - items.value.filter(({ phase }) => phase === 'sending').length;
  for (const { id } of items.value.filter(({ phase }) => phase === 'waiting').slice(0, Math.max(0, free))) {
    void start(id);
  }
}

async function start(id: string): Promise<void> {
  change(id, { phase: 'sending', reason: undefined });
  const job = jobs.get(id)!;
  const { send } = await import('./send.js');
  // Paused or removed while the code was loaded.
  if (find(id)?.phase !== 'sending' || !job.file) return;
  await keep(job.kept);
  job.samples = [];
  job.sending = send(job.file, job.kept.url, {
    onUrl: (url) => {
      job.kept = { ...job.kept, url };
      void keep(job.kept);
    },
    onProgress: (sent) => change(id, { sent, speed: speedOf(job, sent), reason: undefined }),
    onTrouble: (reason) => change(id, { reason: `${reason} It goes on by itself.`, speed: undefined }),
    onDone: (assetId) => {
      change(id, { phase: 'done', sent: job.kept.size, speed: undefined, reason: undefined, assetId });
      announce(`${job.kept.name} is uploaded`);
      void forget(id);
      next();
    },
    onRefused: (refusal) => {
      const mayHelp = refusal.status === 0 || refusal.status >= 500 || refusal.status === 401 || refusal.status === 429;
      if (mayHelp) change(id, { phase: 'failed', reason: refusal.message, speed: undefined });
      else refuse(id, refusal);
      next();
    },
  });
}

const SPEED_MS = 4_000;

function speedOf(job: Job, sent: number): number | undefined {
  const at = performance.now();
  job.samples = [...job.samples.filter((sample) => at - sample.at < SPEED_MS), { at, sent }];
  const first = job.samples[0]!;
  return at - first.at < 300 ? undefined : ((sent - first.sent) / (at - first.at)) * 1000;
}

export function pause(id: string): void {
  change(id, { phase: 'paused', speed: undefined, reason: undefined });
  void jobs.get(id)?.sending?.pause();
  next();
}

export function resume(id: string): void {
  change(id, { phase: 'waiting', reason: undefined });
  next();
}

/** Off the list; what the server has of it is removed. */
export function remove(id: string): void {
  const job = jobs.get(id);
  const done = find(id)?.phase === 'done';
  items.value = items.value.filter((item) => item.id !== id);
  jobs.delete(id);
  void forget(id);
  void (async () => {
    await job?.sending?.pause();
    // It expires there by itself, too.
    if (!done && job?.kept.url)
      await call(job.kept.url, { method: 'DELETE', headers: { 'tus-resumable': '1.0.0' } }).catch(() => undefined);
  })();
  next();
}

export function clearDone(): void {
  items.value = items.value.filter(({ phase }) => phase !== 'done' && phase !== 'refused');
}

/** After a reload: what was under way goes on. */
export async function restore(): Promise<void> {
  for (const kept of await allKept()) {
    if (jobs.has(kept.id)) continue;
    const { id, name, size, file } = kept;
    jobs.set(id, { file, kept, samples: [] });
    const item: Item = { id, name, size, sent: 0, phase: file ? 'waiting' : 'lost' };
    items.value = [...items.value, item];
  }
  next();
}

/** Of all that is not finished: 0-100, and seconds where they can be told. */
export function overall(all: readonly Item[]): { open: number; percent: number; left?: number } {
  const open = all.filter(({ phase }) =>
    ['checking', 'waiting', 'sending', 'paused', 'lost', 'failed'].includes(phase),
  );
  const counted = [...open, ...all.filter(({ phase }) => phase === 'done')];
  const total = counted.reduce((sum, { size }) => sum + size, 0);
  const sent = counted.reduce((sum, item) => sum + item.sent, 0);
  const speed = open.reduce((sum, item) => sum + (item.speed ?? 0), 0);
  return {
    open: open.length,
    percent: total > 0 ? (100 * sent) / total : 0,
    ...(speed > 0 && { left: (total - sent) / speed }),
  };
}
