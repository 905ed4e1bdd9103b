import { adviceFor } from '../lib/advice.js';
import type { Asset, PublicError } from '../lib/api.js';
import { Icon } from '../lib/icons.js';

/** What is wrong, and what can be done. */
export function Failure({ error, playable }: { error: PublicError; playable: boolean }) {
  return (
    <section class="panel failure" role="alert">
      <Icon name="alert" />
      <div>
        <p>
          <strong>{error.message}</strong>
        </p>
        <p>{adviceFor(error.code)}</p>
        {playable && <p>What was published before plays on.</p>}
        <p class="code">{error.code}</p>
      </div>
    </section>
  );
}

export function Missing({ missing }: { missing: NonNullable<Asset['missing']> }) {
  return (
    <section class="panel">
      <h2>Missing parts</h2>
      <ul class="missing">
        {missing.map(({ name, error }) => (
          <li key={name}>
            <strong>{name}</strong>: {error.message} {adviceFor(error.code)}
          </li>
        ))}
      </ul>
    </section>
  );
}
