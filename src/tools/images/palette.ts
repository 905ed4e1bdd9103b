/** The few colours that a picture is made of. */

/** A colour in Oklab, where distances are as the eye sees them, with the number of pixels that have it. */
interface Weighted {
  readonly lab: readonly [number, number, number];
  readonly weight: number;
}

const MOST = 6;
/** Colours closer than this in Oklab are one to the eye at a glance. */
const ALIKE = 0.08;
/** Colours of less than this part of the picture do not make its palette. */
const LEAST_SHARE = 0.01;
const ROUNDS = 8;
/** Pixels less opaque than this do not count, 0-255. */
const OPAQUE = 128;

/**
 * k-means over the picture's colours, begun with those that are common and far from each other: the same pixels
 * always give the same palette.
 *
 * @param rgba 8 bits a channel
 * @returns `#rrggbb`, at most 6, by how much of the picture they cover; none where all is transparent
 */
export function palette(rgba: Uint8Array): string[] {
  const points = histogram(rgba);
  const total = points.reduce((sum, { weight }) => sum + weight, 0);
  let centres = seeds(points);
  let clusters: Weighted[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    clusters = gather(points, centres);
    centres = clusters.map(({ lab }) => lab);
  }
  return clusters
    .sort((a, b) => b.weight - a.weight)
    .filter(({ weight }, place) => place === 0 || weight >= total * LEAST_SHARE)
    .map(({ lab }) => toHex(lab));
}

/** Colours rounded to 5 bits a channel: a few thousand pixels become some hundred points. */
function histogram(rgba: Uint8Array): Weighted[] {
  const bins = new Map<number, [r: number, g: number, b: number, count: number]>();
  for (let i = 0; i + 3 < rgba.length; i += 4) {
    if (rgba[i + 3]! < OPAQUE) continue;
    const [r, g, b] = [rgba[i]!, rgba[i + 1]!, rgba[i + 2]!];
    const key = ((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3);
    const bin = bins.get(key) ?? [0, 0, 0, 0];
    bin[0] += r;
    bin[1] += g;
    bin[2] += b;
    bin[3]++;
    bins.set(key, bin);
  }
  return [...bins.values()].map(([r, g, b, count]) => ({
    lab: toOklab(r / count, g / count, b / count),
    weight: count,
  }));
}

function seeds(points: readonly Weighted[]): Weighted['lab'][] {
  const chosen: Weighted['lab'][] = [];
  const distances = points.map(() => 1);
  while (chosen.length < MOST) {
    let best = -1;
    let bestScore = 0;
    for (const [i, { weight }] of points.entries()) {
      const score = weight * distances[i]!;
      if (score > bestScore && (chosen.length === 0 || distances[i]! > ALIKE ** 2)) [best, bestScore] = [i, score];
    }
    if (best < 0) break;
    const { lab } = points[best]!;
    chosen.push(lab);
    for (const [i, point] of points.entries()) {
      const distance = squared(point.lab, lab);
      distances[i] = chosen.length === 1 ? distance : Math.min(distances[i]!, distance);
    }
  }
  return chosen;
}

/** Each point to its nearest centre; what has come to be alike becomes one. */
function gather(points: readonly Weighted[], centres: readonly Weighted['lab'][]): Weighted[] {
  const sums = centres.map(() => [0, 0, 0, 0] as [number, number, number, number]);
  for (const { lab, weight } of points) {
    let nearest = 0;
    for (let i = 1; i < centres.length; i++) {
      if (squared(lab, centres[i]!) < squared(lab, centres[nearest]!)) nearest = i;
    }
    const sum = sums[nearest]!;
    for (const channel of [0, 1, 2] as const) sum[channel] += lab[channel] * weight;
    sum[3] += weight;
  }
  const clusters: Weighted[] = [];
  for (const [l, a, b, weight] of sums) {
    if (weight === 0) continue;
    const lab = [l / weight, a / weight, b / weight] as const;
    const twin = clusters.findIndex((other) => squared(other.lab, lab) < ALIKE ** 2);
    if (twin < 0) clusters.push({ lab, weight });
    else clusters[twin] = blend(clusters[twin]!, { lab, weight });
  }
  return clusters;
}

function blend(one: Weighted, other: Weighted): Weighted {
  const weight = one.weight + other.weight;
  const mix = (channel: 0 | 1 | 2): number =>
    (one.lab[channel] * one.weight + other.lab[channel] * other.weight) / weight;
  return { lab: [mix(0), mix(1), mix(2)], weight };
}

const squared = (p: Weighted['lab'], q: Weighted['lab']): number =>
  (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 + (p[2] - q[2]) ** 2;

const toLinear = (value: number): number => {
  const c = value / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
};

const fromLinear = (c: number): number =>
  Math.round(255 * Math.min(1, Math.max(0, c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055)));

/** https://bottosson.github.io/posts/oklab/ */
function toOklab(red: number, green: number, blue: number): Weighted['lab'] {
  const [r, g, b] = [toLinear(red), toLinear(green), toLinear(blue)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function toHex([L, A, B]: Weighted['lab']): string {
  const l = (L + 0.3963377774 * A + 0.2158037573 * B) ** 3;
  const m = (L - 0.1055613458 * A - 0.0638541728 * B) ** 3;
  const s = (L - 0.0894841775 * A - 1.291485548 * B) ** 3;
  const rgb = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return `#${rgb.map((c) => fromLinear(c).toString(16).padStart(2, '0')).join('')}`;
}
