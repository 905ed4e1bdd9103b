/** What each policy published in time, as a picture: a dot for each seed, a band for what was reported of the design. */

export interface Strip {
  readonly policy: string;
  /** What one seed published in time, each. */
  readonly counts: readonly number[];
  /** Least and most that were reported. */
  readonly reported: readonly [number, number];
}

const LEFT = 130;
const WIDTH = 620;
const STRIP = 52;
const TOP = 46;

/** SVG. @param items how many there are to publish */
export function plot(strips: readonly Strip[], items: number): string {
  const height = TOP + strips.length * STRIP + 44;
  const x = (count: number): string => (LEFT + (count / items) * WIDTH).toFixed(1);
  const ticks = Array.from({ length: Math.floor(items / 25) + 1 }, (_, index) => index * 25).filter(
    (tick) => items - tick > 8,
  );
  const grid = [...ticks, items].map(
    (tick) =>
      `<path class="grid" d="M${x(tick)} ${TOP - 8}V${height - 40}"/>` +
      `<text class="tick" x="${x(tick)}" y="${height - 24}">${tick}</text>`,
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 90} ${height}" role="img" aria-labelledby="title">`,
    `<title id="title">Items published in time, of ${items}, by policy: a dot for each seed</title>`,
    STYLE,
    '<rect class="paper" width="100%" height="100%"/>',
    `<text class="head" x="${LEFT}" y="22">Published in time, of ${items}: a dot for each seed; bands: as reported, and our aim</text>`,
    ...grid,
    ...strips.map((strip, index) => drawn(strip, TOP + index * STRIP, x)),
    '</svg>',
  ].join('\n')}\n`;
}

const STYLE = `<style>
.paper { fill: #fff } .head { font: 14px sans-serif; fill: #222 } .name { font: 14px sans-serif; fill: #222; text-anchor: end }
.tick { font: 12px sans-serif; fill: #666; text-anchor: middle } .range { font: 12px sans-serif; fill: #444 }
.grid { stroke: #ddd } .band { fill: #cfe3f7 } .dot { fill: #0b5cad; fill-opacity: 0.55 }
</style>`;

function drawn({ policy, counts, reported: [least, most] }: Strip, top: number, x: (count: number) => string): string {
  const middle = top + STRIP / 2 - 4;
  const left = Number(x(least)) - 5;
  const width = Number(x(most)) + 5 - left;
  const [fewest, best] = [Math.min(...counts), Math.max(...counts)];
  const range = fewest === best ? `${best}` : `${fewest} to ${best}`;
  return [
    `<text class="name" x="${LEFT - 14}" y="${middle + 5}">${policy}</text>`,
    `<rect class="band" x="${left.toFixed(1)}" y="${middle - 18}" width="${width.toFixed(1)}" height="36" rx="4"/>`,
    // Above each other where they would hide each other.
    ...[...counts.entries()].map(([seed, count]) => {
      const y = middle - 13 + (26 * seed) / Math.max(1, counts.length - 1);
      return `<circle class="dot" cx="${x(count)}" cy="${y.toFixed(1)}" r="3"/>`;
    }),
    `<text class="range" x="${(Math.max(left + width, Number(x(best)) + 4) + 6).toFixed(1)}" y="${middle + 5}">${range}</text>`,
  ].join('');
}
