/** Encodes one audio track in one continuous pass; a retry starts over, because joined encodes click. */
import type { Job } from '../../contracts/assets.js';
import { MediaError } from '../../contracts/errors.js';
import type { AudioTrack, EncodedRendition, VideoPlan } from '../../contracts/plan.js';
import { AAC_FRAME, audioSegmentFrames, encodeAudioCommand } from '../../media/video/audio-args.js';
import { peakBitrate } from '../../media/video/bitrate.js';
import { streamPrefix } from '../../media/video/layout.js';
import type { FragmentFacts } from '../../media/video/mp4.js';
import type { ActivityContext } from '../context.js';
import { activity } from '../scope.js';
import { runEncode } from './run-encode.js';
import { StreamShipper, type Stream } from './shipper.js';
import { withSource } from './with-source.js';

/** A track of which less than this decodes is a damaged one. */
const ENOUGH = 0.9;
/** Packets at both ends that decoders may swallow. Seconds. */
const EDGE_SECONDS = 0.5;

export function createEncodeAudio(context: ActivityContext) {
  const { config, logger, store } = context;
  return activity(logger, async (scope, job: Job, plan: VideoPlan, track: AudioTrack): Promise<EncodedRendition> => {
    const planned =
      plan.facts.audio.find(({ streamIndex }) => streamIndex === track.streamIndex)?.duration ?? plan.facts.duration;
    const to = { store, bucket: config.storage.mediaBucket };
    return withSource(context, scope, job, track.name, async (dir) => {
      const shipper = new StreamShipper(dir, continuous(job, track), to);
      await runEncode(context, scope, {
        command: encodeAudioCommand(plan, track),
        dir,
        folders: [track.name],
        mediaSeconds: planned,
        leadSeconds: 0,
        ship: (signal) => shipper.ship(signal),
        onProgress: ({ outTime, speed }) =>
          scope.report({
            step: 'encode',
            what: track.name,
            percent: Math.min(100, (outTime / planned) * 100),
            segmentsDone: shipper.shipped.length,
            speed,
          }),
      });
      return resultOf(track, shipper, planned);
    });
  });
}

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

function resultOf(track: AudioTrack, { shipped, init }: StreamShipper, planned: number): EncodedRendition {
  const frames = shipped.reduce((sum, { samples }) => sum + samples, 0);
  const units = frames * AAC_FRAME;
  const seconds = units / track.sampleRate;
  if (!init || seconds < planned * ENOUGH - EDGE_SECONDS)
    throw new MediaError(
      'DAMAGED_FILE',
      `Of ${track.name}, ${seconds.toFixed(1)} of ${planned.toFixed(1)} s could be decoded.`,
    );
  const onGrid = audioSegmentFrames(units, track.sampleRate);
  if (onGrid.length !== shipped.length || onGrid.some((count, i) => shipped[i]?.samples !== count))
    throw new MediaError('VERIFY_FAILED', `${track.name}: segments are off the grid.`);
  return {
    name: track.name,
    segments: shipped.length,
    bytes: shipped.reduce((sum, { bytes }) => sum + bytes, 0),
    peakBitrate: peakBitrate(
      shipped.map(({ bytes, samples }) => ({ bytes, seconds: (samples * AAC_FRAME) / track.sampleRate })),
    ),
    units,
    codecs: init.codecs,
  };
}
