/** The API as this page uses it. */
import type { AssetState, MediaKind, RenditionDocument } from '../../../src/contracts/assets.js';
import type { PublicError } from '../../../src/contracts/errors.js';
import type { ImageFacts } from '../../../src/contracts/image.js';
import type { ChunkProgress, PartProgress } from '../../../src/contracts/progress.js';
import type { Deadline } from '../asset/due.js';
import { Cell } from './cell.js';

export type { AssetState, MediaKind, PublicError };

export type Rendition = RenditionDocument;

export interface Progress {
  readonly percent: number;
  readonly speed?: number;
  readonly timeLeft?: number;
  readonly stage: string;
  readonly parts?: readonly PartProgress[];
  readonly chunks?: ChunkProgress;
  readonly retrying?: { readonly step: string; readonly attempt: number; readonly reason: string };
}

export interface HistoryLine {
  readonly at: string;
  readonly from: AssetState | null;
  readonly to: AssetState;
  readonly generation: number;
  readonly by: string;
  readonly reason?: string | null;
  readonly error?: PublicError | null;
}

export interface Asset {
  readonly id: string;
  readonly kind: MediaKind | null;
  readonly state: AssetState;
  readonly title?: string | null;
  readonly fileName?: string | null;
  readonly tags: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly profile: string;
  readonly priority: number;
  readonly bytes?: number | null;
  readonly duration?: number | null;
  readonly contentType?: string | null;
  readonly sha256?: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly playable: boolean;
  readonly generation: number;
  readonly revision?: number;
  readonly legalHold?: boolean;
  readonly deadline?: Deadline;
  readonly error?: PublicError | null;
  readonly renditions?: readonly Rendition[];
  readonly missing?: readonly { readonly name: string; readonly error: PublicError }[];
  readonly playback?: {
    readonly hls?: string;
    readonly dash?: string;
    readonly poster?: string;
    readonly storyboard?: string;
  };
  readonly image?: ImageFacts;
  readonly progress?: Progress;
  readonly history?: readonly HistoryLine[];
}

export interface Page {
  readonly items: readonly Asset[];
  readonly next?: string | null;
}

/** An answer of the server that is not a success: its sentence is for people. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** `asset-unknown`, ...; `offline` when there was no answer at all. */
    readonly problem: string,
    message: string,
    readonly error?: PublicError,
  ) {
    super(message);
    this.name = 'Refusal';
  }
}

const KEY = 'mediamill.key';
/** Where keys are on. Kept as long as the tab. */
export const apiKey = new Cell<string | undefined>(sessionStorage.getItem(KEY) ?? undefined);
/** The server has refused the key, or asked for one. */
export const keyWanted = new Cell(false);

export function useKey(key: string | undefined): void {
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
  apiKey.value = key;
  keyWanted.value = false;
}

export const authorization = (): Record<string, string> =>
  apiKey.value ? { authorization: `Bearer ${apiKey.value}` } : {};

/** @throws Refusal, or the signal's reason */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      headers: { ...authorization(), ...(init.headers as Record<string, string>) },
    });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Refusal(0, 'offline', 'The server can not be reached.');
  }
  if (response.ok) return response;
  if (response.status === 401) keyWanted.value = true;
  throw await refusalOf(response);
}

async function refusalOf(response: Response): Promise<Refusal> {
  return refusalFrom(response.status, await response.text().catch(() => ''));
}

/** @param text of the answer: RFC 9457, or whatever a proxy in between has said */
export function refusalFrom(status: number, text: string): Refusal {
  try {
    const body = JSON.parse(text) as { type?: string; title?: string; detail?: string; error?: PublicError };
    const name = body.type?.split(':').at(-1) ?? 'unknown';
    // The detail says it more exactly; an asset's own failure is a sentence already.
    const message = body.error?.message ?? [body.title, body.detail].filter(Boolean).join(' ');
    return new Refusal(status, name, message || `The server answered ${status}.`, body.error);
  } catch {
    return new Refusal(status, 'unknown', `The server answered ${status}.`);
  }
}

const json = async <T>(path: string, init?: RequestInit): Promise<T> => (await (await call(path, init)).json()) as T;
const send = (method: string, body?: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method,
  headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  ...(body === undefined ? {} : { body: JSON.stringify(body) }),
});
const asset = (id: string, rest = ''): string => `/v1/assets/${encodeURIComponent(id)}${rest}`;

export const api = {
  list: (query: URLSearchParams, signal?: AbortSignal): Promise<Page> =>
    json(`/v1/assets?${query}`, { signal: signal ?? null }),
  get: (id: string): Promise<Asset> => json(asset(id)),
  patch: (id: string, change: { title?: string; tags?: readonly string[] }): Promise<Asset> =>
    json(asset(id), send('PATCH', change)),
  cancel: (id: string): Promise<unknown> => call(asset(id, '/cancel'), send('POST')),
  /** `renditions`: none named means all that is missing or at fault; absent: everything, as a new generation. */
  reprocess: (id: string, renditions?: readonly string[]): Promise<unknown> =>
    call(asset(id, '/reprocess'), send('POST', renditions ? { renditions } : {})),
  /** `keepalive`: the tab may close meanwhile. */
  remove: (id: string): Promise<unknown> => call(asset(id), { ...send('DELETE'), keepalive: true }),
  work: (id: string): Promise<Work> => json(`/page/assets/${encodeURIComponent(id)}/work`),
  token: (id: string): Promise<{ token: string; expiresAt: string }> =>
    json(asset(id, '/playback-token'), send('POST', {})),
};

/** `GET /page/assets/{id}/work`: what an operator wants to see. */
export interface Work {
  readonly workflow: { readonly id: string; readonly url: string };
  readonly source?: {
    readonly container: string;
    readonly duration: number;
    readonly video?: {
      readonly codec: string;
      readonly width: number;
      readonly height: number;
      readonly frameRate: number;
      readonly pixelFormat: string;
      readonly transfer?: string;
    };
    readonly audio: readonly {
      readonly codec: string;
      readonly channels: number;
      readonly sampleRate: number;
      readonly language?: string;
    }[];
    readonly subtitles: readonly { readonly codec: string; readonly language?: string }[];
  };
  /** One entry for each rung and sound, largest first. */
  readonly streams: readonly {
    readonly name: string;
    readonly type: 'video' | 'audio';
    /** One letter for each segment: `d`one, `r`unning, `w`aiting. */
    readonly segments: string;
  }[];
  /** Seconds. */
  readonly segmentSeconds?: number;
  /** Lowest SSIM of each rung against the source, where it was measured. */
  readonly quality?: Readonly<Record<string, number>>;
  /** Good for some minutes. */
  readonly sourceUrl?: string;
}

/** The API names itself by its public address; this page may have been reached by another one. */
export function ours(url: string): string {
  const { pathname, search } = new URL(url, location.href);
  return pathname.startsWith('/v1/assets/') ? pathname + search : url;
}

/** What one calls it. */
export const nameOf = ({ title, fileName, id }: Pick<Asset, 'title' | 'fileName' | 'id'>): string =>
  title || fileName || id;

/** States after which nothing happens by itself. */
export const isFinal = (state: AssetState): boolean =>
  ['ready', 'partial', 'failed', 'cancelled', 'deleted'].includes(state);
