import { StateBadge } from '../lib/badge.js';
import type { HistoryLine } from '../lib/api.js';
import { moment, span, time } from '../lib/format.js';

export function History({ lines }: { lines: readonly HistoryLine[] }) {
  return (
    <section class="panel">
      <h2>History</h2>
      <ol class="history">
        {lines.map(({ at, to, by, generation, error }, i) => {
          const before = lines[i - 1];
          return (
            <li key={`${at} ${to}`}>
              <time dateTime={at} title={moment(at)}>
                {time(at)}
              </time>
              <StateBadge state={to} always />
              <span class="by">
                {by}
                {generation > 1 && `, run ${generation}`}
                {error && `: ${error.message}`}
              </span>
              {before && <span class="after">after {span(Date.parse(at) - Date.parse(before.at))}</span>}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
