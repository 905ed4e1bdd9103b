import { useEffect, useLayoutEffect } from 'preact/hooks';
import type { MediaKind } from '../lib/api.js';
import { useCell } from '../lib/cell.js';
import { EmptyCard, Nothing } from './card.js';
import { Grid } from './grid.js';
import {
  hidden,
  isFiltered,
  listing,
  load,
  loadMore,
  query,
  setQuery,
  SORTS,
  STATES,
  type Sort,
  type StateFilter,
} from './model.js';

const KINDS: readonly (readonly [kind: MediaKind | '', name: string])[] = [
  ['', 'Everything'],
  ['video', 'Video'],
  ['audio', 'Sound'],
  ['image', 'Pictures'],
];
/** Without being asked to, nothing that failed is tried again. */
const ends = (): void => void (listing.value.phase === 'idle' && loadMore());
/** Where one was when one left for an asset. */
let scrolled = 0;

export function Library() {
  const { items, phase, error } = useCell(listing);
  const gone = useCell(hidden);
  const now = useCell(query);
  useLayoutEffect(() => {
    document.title = 'Mediamill';
    scrollTo(0, scrolled);
    const remember = (): void => void (scrolled = scrollY);
    addEventListener('scroll', remember, { passive: true });
    return () => removeEventListener('scroll', remember);
  }, []);
  useEffect(() => {
    if (listing.value.items.length === 0) void load();
  }, []);
  const shown = gone.size > 0 ? items.filter(({ id }) => !gone.has(id)) : items;
  return (
    <main id="main" class="library">
      <h1 class="unseen">Library</h1>
      <Filters />
      {phase === 'failed' && (
        <p class="trouble" role="alert">
          {error}{' '}
          <button type="button" class="button" onClick={() => void load()}>
            Try again
          </button>
        </p>
      )}
      {shown.length > 0 && <Grid items={shown} onEnd={ends} />}
      {shown.length === 0 && phase === 'loading' && (
        <div class="grid skeleton">
          {Array.from({ length: 10 }, (_, i) => (
            <EmptyCard key={i} />
          ))}
        </div>
      )}
      {shown.length === 0 && phase === 'idle' && (
        <Nothing filtered={isFiltered(now)} onClear={() => setQuery({ text: '', kind: '', state: '' })} />
      )}
      {phase === 'more' && <p class="more">Loading more…</p>}
      {phase === 'stuck' && (
        <p class="trouble" role="alert">
          {error}{' '}
          <button type="button" class="button" onClick={() => void loadMore()}>
            Try again
          </button>
        </p>
      )}
    </main>
  );
}

function Filters() {
  const now = useCell(query);
  return (
    <div class="filters">
      <fieldset class="kinds">
        <legend class="unseen">Kind</legend>
        {KINDS.map(([kind, name]) => (
          <label key={kind}>
            <input type="radio" name="kind" checked={now.kind === kind} onChange={() => setQuery({ kind })} />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      <span class="selects">
        <select
          aria-label="State"
          value={now.state}
          onChange={({ currentTarget }) => setQuery({ state: currentTarget.value as StateFilter })}
        >
          {Object.entries(STATES).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
        <select
          aria-label="Order"
          value={now.sort}
          onChange={({ currentTarget }) => setQuery({ sort: currentTarget.value as Sort })}
        >
          {Object.entries(SORTS)
            .filter(([value]) => value !== 'relevance' || now.text)
            .map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
        </select>
      </span>
    </div>
  );
}
