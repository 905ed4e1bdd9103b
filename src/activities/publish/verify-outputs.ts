/** Verifies all that was made of a video or sound against its plan, by what the store holds. */
import type { Finding, Made } from '../../contracts/activities.js';
import { outputPrefix, type Job } from '../../contracts/assets.js';
import { segmentCount, type SubtitleTrack, type VideoPlan } from '../../contracts/plan.js';
import type { Rendition } from '../../contracts/renditions.js';
import { subtitleSegmentName } from '../../media/video/hls.js';
import { STORYBOARD_URI, SUBTITLE_FILE, subtitleUri, type StreamType } from '../../media/video/layout.js';
import {
  audioTimeline,
  verifiedPresentation,
  type Presentation,
  type Storyboard,
} from '../../media/video/presentation.js';
import { audioSamples } from '../../media/video/audio-args.js';
import { sheetsOf } from '../../media/video/stills.js';
import { subtitleDurations } from '../../media/video/subtitles.js';
import {
  isFinding,
  rungAsItIs,
  trackAsItIs,
  verifyRung,
  verifyTrack,
  type StreamScan,
  type Verdict,
  type VerifiedStream,
} from '../../media/video/verify.js';
import { listOutputs, scanStream, type Listing, type Shelf } from './scan.js';

export interface Outputs {
  readonly job: Pick<Job, 'assetId' | 'generation'>;
  readonly plan: VideoPlan;
  readonly made: Made;
  /** Names of the only parts that are at issue. Absent: all. */
  readonly mends?: readonly string[] | undefined;
}

/** What is as it should be, or not at issue; and what is not as it should be. */
export interface Verified {
  readonly streams: readonly VerifiedStream[];
  readonly pictures: readonly Rendition[];
  readonly presentation: Presentation;
  /** Seconds of every WebVTT segment. */
  readonly subtitleSeconds: readonly number[];
  readonly findings: readonly Finding[];
  /** What is at fault and not at issue. */
  readonly otherFindings: readonly Finding[];
  /** Bytes of everything in the store, by name below the generation's prefix. */
  readonly listing: Listing;
}

/** @param report called with the share of the work that is done, 0-1, and what is looked at */
export async function verifyOutputs(
  shelf: Shelf,
  { job, plan, made, mends }: Outputs,
  report: (share: number, what: string) => void = () => undefined,
): Promise<Verified> {
  const listing = await listOutputs(shelf, job);
  const withdrawn = new Set(made.missing.map(({ name }) => name));
  const isWanted = ({ name }: { readonly name: string }): boolean => !withdrawn.has(name);
  const { frames } = made;
  const real: VideoPlan = plan.grid ? { ...plan, grid: { ...plan.grid, totalFrames: frames } } : plan;

  const checks: Check[] = [
    ...plan.rungs.filter(isWanted).map((rung): Check => ({
      type: 'video',
      name: rung.name,
      segments: real.grid ? segmentCount(real.grid) : 0,
      verify: (scan) => poorPicture(plan, made, rung.name) ?? verifyRung(plan, rung, frames, scan),
      asItIs: (scan) => real.grid && rungAsItIs(real.grid, rung, frames, scan),
    })),
    ...plan.audio.filter(isWanted).map((track): Check => ({
      type: 'audio',
      name: track.name,
      segments: audioTimeline(track, audioSamples(plan, track)).segments.length,
      verify: (scan) => verifyTrack(plan, track, scan),
      asItIs: (scan) => trackAsItIs(plan, track, scan),
    })),
  ];
  const all = checks.reduce((sum, { segments }) => sum + segments, 0);
  const isAtIssue = ({ name }: Finding): boolean => mends?.includes(name) ?? true;
  const verdicts: Verdict[] = [];
  const others: Finding[] = [];
  let done = 0;
  for (const check of checks) {
    const scan = await scanStream(shelf, job, check, check.segments, listing, () => {
      done += 1;
      report(done / all, check.name);
    });
    const verdict = check.verify(scan);
    const asItIs = isFinding(verdict) && !isAtIssue(verdict) ? check.asItIs(scan) : undefined;
    if (asItIs) others.push(verdict as Finding);
    verdicts.push(asItIs ?? verdict);
  }

  const subtitleSeconds = subtitleDurations(real);
  const tracks = plan.subtitles.filter(({ name }) => made.subtitles.includes(name) && !withdrawn.has(name));
  const texts = tracks.map((track) => ({ track, finding: missingText(track, subtitleSeconds.length, listing) }));
  const pictures = made.pictures.map((picture) => ({ picture, finding: missingPicture(real, picture, job, listing) }));
  const streams = verdicts.filter((verdict): verdict is VerifiedStream => !isFinding(verdict));
  const stays = ({ finding }: { readonly finding: Finding | undefined }): boolean => !finding || !isAtIssue(finding);
  const goodPictures = pictures.filter(stays).map(({ picture }) => picture);
  const besides = [...texts, ...pictures].flatMap(({ finding }) => finding ?? []);
  return {
    streams,
    pictures: goodPictures,
    subtitleSeconds,
    presentation: verifiedPresentation(plan, streams, {
      subtitles: texts.filter(stays).map(({ track }) => track),
      storyboard: storyboardOf(real, goodPictures, listing),
    }),
    findings: oneEach([...verdicts.filter(isFinding), ...besides.filter(isAtIssue)]),
    otherFindings: oneEach([...others, ...besides.filter((finding) => !isAtIssue(finding))]),
    listing,
  };
}

interface Check {
  readonly type: StreamType;
  readonly name: string;
  readonly segments: number;
  verify(scan: StreamScan): Verdict;
  asItIs(scan: StreamScan): VerifiedStream | undefined;
}

function poorPicture({ minSsim }: VideoPlan, { quality }: Made, name: string): Finding | undefined {
  const ssim = quality.find((one) => one.name === name)?.ssim;
  if (ssim === undefined || ssim >= minSsim) return undefined;
  return { name, problem: `It resembles its source by ${ssim.toFixed(4)} (SSIM), not ${minSsim}.` };
}

function missingText({ name }: SubtitleTrack, segments: number, listing: Listing): Finding | undefined {
  const files = [SUBTITLE_FILE, ...Array.from({ length: segments }, (_, segment) => subtitleSegmentName(segment))];
  const missing = files.find((file) => !listing.get(subtitleUri(name) + file));
  return missing === undefined ? undefined : { name, problem: `${missing} is missing.` };
}

function missingPicture(
  { grid, stills }: VideoPlan,
  { type, name, key }: Rendition,
  job: Outputs['job'],
  listing: Listing,
): Finding | undefined {
  const files = [
    key.slice(outputPrefix(job.assetId, job.generation).length),
    ...(type === 'storyboard' ? sheets({ grid, stills }) : []),
  ];
  const missing = files.find((file) => !listing.get(file));
  // The pictures of one poster are made together, under its name.
  const part = type === 'storyboard' ? name : 'poster';
  return missing === undefined ? undefined : { name: part, problem: `${missing} is missing.` };
}

const sheets = ({ grid, stills: { storyboard } }: Pick<VideoPlan, 'grid' | 'stills'>): string[] =>
  grid && storyboard ? sheetsOf(storyboard, grid.totalFrames).map(({ name }) => STORYBOARD_URI + name) : [];

function storyboardOf(plan: VideoPlan, pictures: readonly Rendition[], listing: Listing): Storyboard | undefined {
  const { storyboard } = plan.stills;
  if (!storyboard || !pictures.some(({ type }) => type === 'storyboard')) return undefined;
  return { plan: storyboard, bytes: sheets(plan).reduce((sum, name) => sum + (listing.get(name) ?? 0), 0) };
}

const oneEach = (findings: readonly Finding[]): Finding[] =>
  findings.filter(({ name }, i) => findings.findIndex((other) => other.name === name) === i);
