/** Which segments of which rung are there, are being made, are waiting. */
import type { Work } from '../lib/api.js';
import { plural } from '../lib/format.js';
import { runsOf } from './runs.js';

/** More of them are too narrow for lines between them. */
const SEPARATED = 150;

export function Strip({ work: { streams, segmentSeconds = 4 }, isFinal }: { work: Work; isFinal: boolean }) {
  return (
    <section class="panel strip" aria-label="Segments">
      <header>
        <h2>Segments</h2>
        {!isFinal && (
          <p class="legend" aria-hidden="true">
            <span data-state="d">there</span>
            <span data-state="r">being made</span>
            <span data-state="w">waiting</span>
          </p>
        )}
      </header>
      <ul>
        {streams.map(({ name, type, segments }) => {
          const done = [...segments].filter((letter) => letter === 'd').length;
          const running = [...segments].filter((letter) => letter === 'r').length;
          const words = `${name}: ${done} of ${plural(segments.length, 'segment')} of ${segmentSeconds} s there${running > 0 ? `, ${running} being made` : ''}`;
          return (
            <li key={`${type} ${name}`}>
              <span class="strip-name" title={name}>
                {name}
              </span>
              <svg
                role="img"
                aria-label={words}
                viewBox={`0 0 ${Math.max(1, segments.length)} 1`}
                preserveAspectRatio="none"
              >
                {runsOf(segments).map(({ from, length, state }) => (
                  <rect key={from} x={from} y={0} width={length} height={1} data-state={state} />
                ))}
                {segments.length <= SEPARATED &&
                  Array.from({ length: Math.max(0, segments.length - 1) }, (_, i) => (
                    <line key={`line ${i}`} x1={i + 1} x2={i + 1} y1={0} y2={1} vector-effect="non-scaling-stroke" />
                  ))}
              </svg>
              <span class="strip-count" aria-hidden="true">
                {done === segments.length ? 'all' : `${done}/${segments.length}`}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
