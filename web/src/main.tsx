/** The page: shell and views. */
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { AskKey } from './key.js';
import { apiKey, keyWanted } from './lib/api.js';
import { useCell } from './lib/cell.js';
import { Icon } from './lib/icons.js';
import { followLinks, go, route } from './lib/route.js';
import { spoken, toasts } from './lib/say.js';
import { switchTheme, theme } from './lib/theme.js';
import { followAll, query, setQuery } from './library/model.js';
import { Library } from './library/view.js';
import { DropZone, UploadButtons } from './upload/drop.js';
import { restore } from './upload/model.js';
import { UploadPanel } from './upload/panel.js';

function Shell() {
  const at = useCell(route);
  const locked = useCell(keyWanted);
  const key = useCell(apiKey);
  useEffect(() => (locked ? undefined : followAll()), [locked, key]);
  useEffect(() => {
    if (!locked) void restore();
  }, [locked]);
  if (locked) return <AskKey />;
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header />
      {at.view === 'library' ? <Library /> : <AssetRoute id={at.id} />}
      <UploadPanel />
      <DropZone />
      <Toasts />
    </>
  );
}

/** Loaded when the first one is looked at. */
function AssetRoute({ id }: { id: string }) {
  const [view, setView] = useState<typeof import('./asset/view.js')>();
  useEffect(() => void import('./asset/view.js').then(setView), []);
  return view ? <view.AssetPage key={id} id={id} /> : <main id="main" class="asset" aria-busy="true" />;
}

function Header() {
  const { text } = useCell(query);
  const at = useCell(route);
  const dark = useCell(theme) === 'dark';
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const typing =
        event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable]');
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  return (
    <header class="top">
      <a class="brand" href="/" aria-label="Mediamill">
        <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M7 23V9l9 8 9-8v14" />
        </svg>
        <span>Mediamill</span>
      </a>
      <form
        role="search"
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          go('/');
        }}
      >
        <Icon name="search" size={18} />
        <input
          ref={search}
          type="search"
          aria-label="Search titles, file names and tags"
          placeholder="Search"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => {
            if (at.view !== 'library') go('/');
            setQuery({ text: currentTarget.value });
          }}
        />
        <kbd aria-hidden="true">/</kbd>
      </form>
      <span class="top-actions">
        <button
          type="button"
          class="icon-button"
          aria-label={dark ? 'Light colours' : 'Dark colours'}
          onClick={switchTheme}
        >
          <Icon name={dark ? 'sun' : 'moon'} />
        </button>
        <UploadButtons />
      </span>
    </header>
  );
}

function Toasts() {
  const all = useCell(toasts);
  const words = useCell(spoken);
  return (
    <>
      <div class="toasts" role="status">
        {all.map(({ id, text, action }) => (
          <p key={id} class="toast">
            <span>{text}</span>
            {action && (
              <button type="button" class="link" onClick={action.run}>
                {action.label}
              </button>
            )}
          </p>
        ))}
      </div>
      <p class="unseen" aria-live="polite">
        {words}
      </p>
    </>
  );
}

followLinks();
render(<Shell />, document.getElementById('page')!);
