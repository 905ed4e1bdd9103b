/** Encodes one audio track in one continuous pass; a retry starts over, because joined encodes click. */
import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { AudioTrack, EncodedAudio, VideoPlan } from '../../contracts/plan.js';
import {
  AAC_FRAME,
  audioSamples,
  audioSegmentFrames,
  convertAudioCommand,
  convertedBytes,
  encodeAudioCommand,
  measureAudioCommand,
} from '../../media/video/audio-args.js';
import { streamPrefix } from '../../media/video/layout.js';
import { damagedFrames } from '../../media/video/damage.js';
import { gainFor, readLoudness, type Loudness } from '../../media/video/loudness.js';
import type { FragmentFacts } from '../../media/video/mp4.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';
import { runEncode } from './run-encode.js';
import { runFfmpeg } from './run-ffmpeg.js';
import { StreamShipper, type ShippedSegment, type Stream } from './shipper.js';
import { withSource } from './with-source.js';

/** A track of which less than this decodes is a damaged one. */
const ENOUGH = 0.9;
/** Packets at both ends that decoders may swallow. Seconds. */
const EDGE_SECONDS = 0.5;
/** Of the work, measuring takes about a fifth. Percent. */
const MEASURED_PERCENT = 20;

export function createEncodeAudio(context: ActivityContext) {
  return activity(context.logger, async (scope, job: Job, plan: VideoPlan, track: AudioTrack): Promise<EncodedAudio> =>
    withSource(context, scope, job, track.name, async (dir) => {
      const started = performance.now();
      const measured = await measure(context, scope, { dir, plan, track });
      const gain = gainFor(measured.loudness, plan.loudness);
      const encodeStarted = performance.now();
      const samples = await encode(context, scope, { dir, plan, track, job, gain, isConverted: measured.isConverted });
      scope.logger.info('audio encoded', {
        assetId: job.assetId,
        track: track.name,
        ...measured,
        gain,
        samples,
        measureMs: Math.round(encodeStarted - started),
        encodeMs: Math.round(performance.now() - encodeStarted),
      });
      return { name: track.name, samples, gain, loudness: measured.loudness, damagedFrames: measured.damagedFrames };
    }),
  );
}

interface Track {
  readonly dir: string;
  readonly plan: VideoPlan;
  readonly track: AudioTrack;
}

interface Measured {
  readonly loudness: Loudness | undefined;
  readonly isConverted: boolean;
  readonly damagedFrames: number;
}

/** @throws MediaError DAMAGED_FILE when too little of it decodes: silence would be put in its place. */
async function measure(context: ActivityContext, scope: ActivityScope, of: Track): Promise<Measured> {
  const first = await measureOnce(context, scope, of, false);
  const { damagedFrames: damaged } = first;
  if (!first.changesFormat) return { loudness: first.loudness, isConverted: false, damagedFrames: damaged };
  const { dir, plan, track } = of;
  const seconds = plan.facts.duration;
  const fileBytes = 2 * convertedBytes(seconds, track);
  scope.report({ step: 'encode', what: track.name, percent: 0 });
  await runFfmpeg(context, scope, { command: convertAudioCommand(plan, track), dir, mediaSeconds: seconds, fileBytes });
  const { loudness } = await measureOnce(context, scope, of, true);
  return { loudness, isConverted: true, damagedFrames: damaged };
}

async function measureOnce(
  context: ActivityContext,
  scope: ActivityScope,
  { dir, plan, track }: Track,
  isConverted: boolean,
) {
  const until = audioSamples(plan, track) / track.sampleRate;
  const expected = Math.min(until, ownSeconds(plan, track));
  let decoded = 0;
  const { stderr } = await runFfmpeg(context, scope, {
    command: measureAudioCommand(plan, track, { isConverted }),
    dir,
    mediaSeconds: until,
    onProgress: ({ outTime }) => {
      decoded = outTime;
      scope.report({ step: 'encode', what: track.name, percent: share(outTime, until) * MEASURED_PERCENT });
    },
  });
  if (decoded <= 0 || decoded < expected * ENOUGH - EDGE_SECONDS)
    throw new MediaError(
      'DAMAGED_FILE',
      `Of ${track.name}, ${decoded.toFixed(1)} of ${expected.toFixed(1)} s could be decoded.`,
    );
  return { ...readLoudness(stderr), damagedFrames: damagedFrames(stderr) };
}

/** @returns samples of each channel */
async function encode(
  context: ActivityContext,
  scope: ActivityScope,
  { dir, plan, track, job, gain, isConverted }: Track & { job: Job; gain: number; isConverted: boolean },
): Promise<number> {
  const { config, store } = context;
  const seconds = audioSamples(plan, track) / track.sampleRate;
  const shipper = new StreamShipper(dir, continuous(job, track), { store, bucket: config.storage.mediaBucket });
  await runEncode(context, scope, {
    command: encodeAudioCommand(plan, track, { gain, isConverted }),
    dir,
    folders: [track.name],
    mediaSeconds: seconds,
    leadSeconds: 0,
    ship: (signal) => shipper.ship(signal),
    onProgress: ({ outTime, speed }) =>
      scope.report({
        step: 'encode',
        what: track.name,
        percent: MEASURED_PERCENT + share(outTime, seconds) * (100 - MEASURED_PERCENT),
        segmentsDone: shipper.shipped.length,
        speed,
      }),
  });
  return checked(plan, track, shipper.shipped);
}

const share = (part: number, whole: number): number => Math.min(1, part / whole);

const ownSeconds = ({ facts }: VideoPlan, track: AudioTrack): number =>
  facts.audio.find(({ streamIndex }) => streamIndex === track.streamIndex)?.duration ?? facts.duration;

function continuous(job: Job, track: AudioTrack): Stream {
  let expected = 0;
  return {
    type: 'audio',
    name: track.name,
    prefix: streamPrefix(job, 'audio', track.name),
    firstSegment: 0,
    prepare(bytes: Buffer, facts: FragmentFacts, { timescale }, segment: number): Buffer {
      if (timescale !== track.sampleRate || facts.start !== expected)
        throw new MediaError('VERIFY_FAILED', `${track.name}: segment ${segment} does not follow the one before.`);
      expected += facts.samples * AAC_FRAME;
      return bytes;
    },
  };
}

/** @throws MediaError VERIFY_FAILED when it is not, to the frame, what the plan and so every playlist says. */
function checked(plan: VideoPlan, track: AudioTrack, shipped: readonly ShippedSegment[]): number {
  const planned = audioSegmentFrames(audioSamples(plan, track), track.sampleRate);
  if (planned.length !== shipped.length || planned.some((count, i) => shipped[i]?.samples !== count))
    throw new MediaError('VERIFY_FAILED', `${track.name}: segments are off the grid.`);
  return planned.reduce((sum, frames) => sum + frames, 0) * AAC_FRAME;
}
