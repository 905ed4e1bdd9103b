/** What the library shows: one search, its pages so far, and what is heard of its assets meanwhile. */
import { api, isFinal, nameOf, type Asset, type MediaKind, type Progress } from '../lib/api.js';
import { Cell } from '../lib/cell.js';
import { follow } from '../lib/live.js';
import { announce } from '../lib/say.js';

export const SORTS = {
  newest: 'Newest first',
  oldest: 'Oldest first',
  name: 'By name',
  largest: 'Largest first',
  longest: 'Longest first',
  relevance: 'Best match first',
} as const;
export type Sort = keyof typeof SORTS;

export const STATES = {
  '': 'All states',
  working: 'In progress',
  ready: 'Ready',
  partial: 'Partly ready',
  failed: 'Failed',
  cancelled: 'Cancelled',
} as const;
export type StateFilter = keyof typeof STATES;

export interface Query {
  readonly text: string;
  readonly kind: MediaKind | '';
  readonly state: StateFilter;
  readonly sort: Sort;
}

export interface Listing {
  readonly items: readonly Asset[];
  /** `stuck`: a further page did not come. */
  readonly phase: 'loading' | 'more' | 'idle' | 'failed' | 'stuck';
  /** There are further pages. */
  readonly hasMore: boolean;
  readonly error?: string;
}

const PAGE = 60;
const TYPING_MS = 180;
const NEWEST: Query = { text: '', kind: '', state: '', sort: 'newest' };

export const query = new Cell<Query>(queryOf(new URLSearchParams(location.search)));
export const listing = new Cell<Listing>({ items: [], phase: 'loading', hasMore: false });
/** Of those that are being worked on. */
export const progress = new Cell<ReadonlyMap<string, Progress>>(new Map());
/** The asset that was touched last, wherever it is; none when some of them may have been missed. */
export const touched = new Cell<{ readonly asset?: Asset }>({});
/** Hidden until they are gone for good: `actions.ts`. */
export const hidden = new Cell<ReadonlySet<string>>(new Set());

let cursor: string | undefined;
let asking: AbortController | undefined;
let typing: ReturnType<typeof setTimeout> | undefined;

function queryOf(params: URLSearchParams): Query {
  const pick = <T extends string>(name: string, known: object, otherwise: T): T => {
    const value = params.get(name) ?? '';
    return Object.hasOwn(known, value) ? (value as T) : otherwise;
  };
  return {
    text: params.get('q') ?? '',
    kind: pick('kind', { video: 1, audio: 1, image: 1 }, ''),
    state: pick('state', STATES, ''),
    sort: pick('sort', SORTS, NEWEST.sort),
  };
}

export function setQuery(change: Partial<Query>): void {
  const next = { ...query.value, ...change };
  // Words are there to be matched; without any there is no best match.
  if (change.text !== undefined && !query.value.text && next.text) query.value = { ...next, sort: 'relevance' };
  else query.value = !next.text && next.sort === 'relevance' ? { ...next, sort: NEWEST.sort } : next;
  const { text, kind, state, sort } = query.value;
  const shown = new URLSearchParams(
    Object.entries({ q: text, kind, state, sort: sort === NEWEST.sort ? '' : sort }).filter(
      ([, value]) => value !== '',
    ),
  ).toString();
  history.replaceState(null, '', shown ? `/?${shown}` : '/');
  clearTimeout(typing);
  typing = setTimeout(() => void load(), change.text === undefined ? 0 : TYPING_MS);
}

export const isFiltered = ({ text, kind, state }: Query): boolean => Boolean(text || kind || state);

function parameters({ text, kind, state, sort }: Query): URLSearchParams {
  const params = new URLSearchParams({ limit: String(PAGE), sort });
  if (text.trim()) params.set('q', text.trim());
  if (kind) params.set('kind', kind);
  for (const one of state === 'working' ? ['received', 'processing', 'playable'] : state ? [state] : []) {
    params.append('state', one);
  }
  return params;
}

export async function load(): Promise<void> {
  asking?.abort();
  const own = (asking = new AbortController());
  listing.value = { ...listing.value, phase: 'loading' };
  try {
    const page = await api.list(parameters(query.value), own.signal);
    cursor = page.next ?? undefined;
    listing.value = { items: page.items, phase: 'idle', hasMore: cursor !== undefined };
    if (isFiltered(query.value)) announce(`${page.items.length}${cursor ? ' or more' : ''} found`);
  } catch (error) {
    if (!own.signal.aborted) listing.value = { ...listing.value, phase: 'failed', error: (error as Error).message };
  }
}

export async function loadMore(): Promise<void> {
  const { phase } = listing.value;
  if (!(phase === 'idle' || phase === 'stuck') || cursor === undefined) return;
  const own = asking;
  listing.value = { ...listing.value, phase: 'more' };
  const params = parameters(query.value);
  params.set('cursor', cursor);
  try {
    const page = await api.list(params, own?.signal);
    cursor = page.next ?? undefined;
    const known = new Set(listing.value.items.map(({ id }) => id));
    const fresh = page.items.filter(({ id }) => !known.has(id));
    listing.value = { items: [...listing.value.items, ...fresh], phase: 'idle', hasMore: cursor !== undefined };
  } catch (error) {
    if (!own?.signal.aborted) listing.value = { ...listing.value, phase: 'stuck', error: (error as Error).message };
  }
}

/** What another view has learned of an asset, or the stream of events. */
export function heard(asset: Asset): void {
  const { items } = listing.value;
  const at = items.findIndex(({ id }) => id === asset.id);
  if (asset.state === 'deleted') {
    if (at >= 0) listing.value = { ...listing.value, items: items.filter(({ id }) => id !== asset.id) };
  } else if (at >= 0) {
    const before = items[at]!;
    if (Date.parse(asset.updatedAt) < Date.parse(before.updatedAt)) return;
    if (before.state !== asset.state) tell(asset);
    listing.value = { ...listing.value, items: items.with(at, asset) };
  } else if (belongsOnTop(asset)) {
    listing.value = { ...listing.value, items: [asset, ...items] };
  }
  if (isFinal(asset.state) && progress.value.has(asset.id)) {
    const rest = new Map(progress.value);
    rest.delete(asset.id);
    progress.value = rest;
  }
}

/** Only where its place is certain: a search is the server's to answer. */
function belongsOnTop(asset: Asset): boolean {
  const { text, kind, state, sort } = query.value;
  if (text || state || sort !== NEWEST.sort || listing.value.phase === 'loading') return false;
  const first = listing.value.items[0];
  return (!kind || kind === asset.kind) && (!first || asset.createdAt >= first.createdAt);
}

function tell(asset: Asset): void {
  const words: Partial<Record<Asset['state'], string>> = {
    playable: 'can be watched',
    ready: 'is ready',
    partial: 'is partly ready',
    failed: 'failed',
  };
  const word = words[asset.state];
  if (word) announce(`${nameOf(asset)} ${word}`);
}

/** @returns what ends it */
export function followAll(): () => void {
  let isAgain = false;
  return follow(
    '/page/events',
    ({ event, data }) => {
      if (event === 'asset') {
        const asset = JSON.parse(data) as Asset;
        heard(asset);
        touched.value = { asset };
      }
      if (event === 'progress') {
        const { id, ...rest } = JSON.parse(data) as Progress & { id: string };
        progress.value = new Map(progress.value).set(id, rest);
      }
    },
    () => {
      // What happened in between.
      if (isAgain) {
        void load();
        touched.value = {};
      }
      isAgain = true;
    },
  );
}
