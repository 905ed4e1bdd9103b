import { useState } from 'preact/hooks';
import { apiKey, useKey } from './lib/api.js';

/** Where keys are on: asked for once, kept as long as the tab. */
export function AskKey() {
  const [value, setValue] = useState('');
  const refused = apiKey.value !== undefined;
  return (
    <main id="main" class="ask-key">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          useKey(value.trim() || undefined);
        }}
      >
        <h1>Mediamill</h1>
        <label for="api-key">API key</label>
        <input
          id="api-key"
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          placeholder="mm_…"
          aria-describedby="api-key-hint"
          aria-invalid={refused}
          value={value}
          onInput={({ currentTarget }) => setValue(currentTarget.value)}
        />
        <p id="api-key-hint" role={refused ? 'alert' : undefined}>
          {refused
            ? 'This key was refused. It may have been revoked, or it is not complete.'
            : 'Made by “mediamill keys create”. It is forgotten when you close this tab.'}
        </p>
        <button type="submit" class="button primary">
          Open
        </button>
      </form>
    </main>
  );
}
