/** `verify`: whether everything that is published of an asset is in the store and as planned. */
import type { Command } from 'commander';

import { verifyPublished, type Review } from '../../activities/publish/verify-published.js';
import { measureQuality } from '../../activities/video/quality.js';
import type { AssetRow } from '../../catalogue/catalogue.js';
import type { Finding } from '../../contracts/activities.js';
import { segmentCount, type Grid, type RungQuality } from '../../contracts/plan.js';
import { createLogger } from '../../logging/index.js';
import { openTools } from '../../workers/context.js';
import { cliConfig } from './config.js';
import { json, plain, table } from './format.js';
import { Lines } from './lines.js';
import { withRecords, type Records } from './session.js';

/** Segments that are decoded beside the source: the first, the last, and some between them. */
const SAMPLES = 8;

interface VerifyOptions {
  readonly json?: boolean;
  readonly quality?: boolean;
}

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('compare what is published of a video or sound with what was planned')
    .argument('<asset>', 'asset id or workflow id')
    .option('--quality', 'also decode samples of every rung and compare them with the source')
    .option('--json', 'print a JSON object')
    .action(async (id: string, options: VerifyOptions) => {
      const passed = await withRecords(cliConfig(), (records) => verify(records, id, options));
      process.exitCode = passed ? 0 : 1;
    });
}

async function verify({ catalogue, config, store }: Records, id: string, options: VerifyOptions): Promise<boolean> {
  const row = await (id.includes('/') ? catalogue.findByWorkflow(id) : catalogue.find(id));
  if (!row) throw new Error(`There is no asset ${id}.`);
  const { document, generation } = published(row);
  const lines = new Lines(process.stderr);
  const shelf = { store, bucket: config.storage.mediaBucket };
  const review = await verifyPublished(shelf, { assetId: row.id, generation, document }, (share, what) =>
    lines.set(row.id, 0, `${Math.floor(share * 100)}%  ${what}`),
  );
  const quality = options.quality ? await sampled({ config }, review) : [];
  const findings = [...review.findings, ...poor(quality, review)];
  if (options.json) {
    const { renditions, violations } = review;
    console.log(
      json({ id: row.id, generation, passed: findings.length === 0, renditions, findings, violations, quality }),
    );
  } else print(review, findings, quality);
  return findings.length === 0;
}

/** @throws with a sentence for people */
function published({ id, state, kind, document, generation }: AssetRow): Pick<AssetRow, 'generation'> & {
  document: NonNullable<AssetRow['document']>;
} {
  if (generation === 0 || !document || document.state === 'failed')
    throw new Error(`Asset ${id} is ${state}: nothing of it is published.`);
  if (kind === 'image') throw new Error(`Asset ${id} is an image: only video and sound can be verified.`);
  return { document, generation };
}

/** Lowest SSIM of every rung, over segments from all of the video. */
async function sampled({ config }: Pick<Records, 'config'>, { job, plan, renditions }: Review): Promise<RungQuality[]> {
  const { grid } = plan;
  const rungs = plan.rungs.map(({ name }) => name).filter((name) => renditions.includes(name));
  if (!grid || rungs.length === 0) return [];
  const logger = createLogger({ ...config.log, level: 'error' });
  const open = await openTools(config, logger);
  try {
    const lowest = new Map<string, number>();
    const scope = { signal: new AbortController().signal, report: () => undefined, logger };
    for (const firstSegment of samplesOf(grid)) {
      const run = { firstSegment, segments: 1 };
      for (const { name, ssim } of await measureQuality(open.activities, scope, job, plan, run, rungs))
        lowest.set(name, Math.min(ssim, lowest.get(name) ?? 1));
    }
    return [...lowest].map(([name, ssim]) => ({ name, ssim }));
  } finally {
    await open.close();
  }
}

function samplesOf(grid: Grid): number[] {
  const last = segmentCount(grid) - 1;
  const steps = Array.from({ length: SAMPLES }, (_, i) => Math.round((last * i) / (SAMPLES - 1)));
  return [...new Set(steps)];
}

const poor = (quality: readonly RungQuality[], { plan: { minSsim } }: Review): Finding[] =>
  quality
    .filter(({ ssim }) => ssim < minSsim)
    .map(({ name, ssim }) => ({
      name,
      problem: `It resembles its source by ${ssim.toFixed(4)} (SSIM), not ${minSsim}.`,
    }));

function print(
  { renditions, violations }: Review,
  findings: readonly Finding[],
  quality: readonly RungQuality[],
): void {
  const names = [...new Set([...renditions, ...findings.map(({ name }) => name)])];
  const rows = names.map((name) => {
    const problem = findings.filter((finding) => finding.name === name).map((finding) => finding.problem);
    const ssim = quality.find((one) => one.name === name)?.ssim;
    return [
      name,
      problem.length > 0 ? problem.join(' ') : `good${ssim === undefined ? '' : `, SSIM ${ssim.toFixed(4)}`}`,
    ];
  });
  console.log(table(rows));
  for (const { rule, level, problem } of violations) console.log(plain(`HLS rule ${rule} (${level}): ${problem}`));
}
