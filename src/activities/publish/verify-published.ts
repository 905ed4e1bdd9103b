/** Looks over a published asset again, at any time: what should be there is what its document says. */
import type { Finding, Made } from '../../contracts/activities.js';
import { outputPrefix, type AssetDocument, type Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { VideoPlan } from '../../contracts/plan.js';
import { checkHls, type Violation } from '../../media/video/hls-rules.js';
import { madeKey, planKey } from '../../media/video/layout.js';
import { manifestFiles } from '../../media/video/manifests.js';
import type { Shelf } from './scan.js';
import { verifyOutputs } from './verify-outputs.js';

export interface Published {
  readonly assetId: string;
  /** The published one. */
  readonly generation: number;
  readonly document: AssetDocument;
}

export interface Review {
  readonly job: Job;
  readonly plan: VideoPlan;
  /** Names of everything that was looked at. */
  readonly renditions: readonly string[];
  readonly findings: readonly Finding[];
  /** Of the rules of HLS, those that the source or the profile leaves unmet. Empty where something is at fault. */
  readonly violations: readonly Violation[];
}

/** @throws MediaError OBJECT_MISSING when it is not known how the asset was made */
export async function verifyPublished(
  shelf: Shelf,
  { assetId, generation, document }: Published,
  report?: (share: number, what: string) => void,
): Promise<Review> {
  const at = { assetId, generation };
  const { job, plan } = JSON.parse(await text(shelf, planKey(at))) as { job: Job; plan: VideoPlan };
  const { made } = JSON.parse(await text(shelf, madeKey(at))) as { made: Made };
  const renditions = document.renditions.map(({ name }) => name);
  const isPublished = ({ name }: { readonly name: string }): boolean => renditions.includes(name);
  const withdrawn = [...plan.rungs, ...plan.audio].filter((part) => !isPublished(part));
  const verified = await verifyOutputs(
    shelf,
    {
      job: at,
      plan,
      made: {
        ...made,
        subtitles: made.subtitles.filter((name) => isPublished({ name })),
        pictures: made.pictures.filter(isPublished),
        missing: withdrawn.map(({ name }) => ({ name, error: { code: 'VERIFY_FAILED', message: '' } })),
      },
    },
    report,
  );
  const { findings, presentation, subtitleSeconds } = verified;
  if (findings.length > 0) return { job, plan, renditions, findings, violations: [] };
  const wanted = manifestFiles(presentation, subtitleSeconds);
  const prefix = outputPrefix(assetId, generation);
  const files = new Map<string, string>();
  const faulty: Finding[] = [];
  for (const [name, should] of wanted) {
    const is = await orMissing(text(shelf, prefix + name));
    if (is === undefined) faulty.push({ name, problem: 'It is missing.' });
    else if (is !== should) faulty.push({ name, problem: 'It does not say what is there.' });
    else files.set(name, is);
  }
  // The texts within subtitles are not looked at again.
  const violations = checkHls({ files, presentation: { ...presentation, subtitles: [] } });
  return { job, plan, renditions, findings: faulty, violations: faulty.length > 0 ? [] : violations };
}

const text = async ({ store, bucket, signal }: Shelf, key: string): Promise<string> =>
  (await store.read(bucket, key, { signal })).toString('utf8');

async function orMissing(reading: Promise<string>): Promise<string | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (MediaError.is(error) && error.code === 'OBJECT_MISSING') return undefined;
    throw error;
  }
}
