/** ffmpeg runs for an audio track. What is published is one continuous encode, because joined encodes click. */
import { AUDIO_SEGMENT_SECONDS, secondsOf, type AudioTrack, type Chunk, type VideoPlan } from '../../contracts/plan.js';
import type { FfmpegCommand, FfmpegFile } from '../ffmpeg-command.js';
import { CLEAN_OUTPUT, hlsOptions, SOURCE_FILE } from './encode-args.js';
import { forcedInput } from './ffmpeg-input.js';

/** Samples of an AAC frame; also what ffmpeg's encoder puts before the first sample (its priming). */
export const AAC_FRAME = 1024;
export { AUDIO_SEGMENT_SECONDS };

/** A sound that changes its rate or layout midway, in one format throughout. */
export const CONVERTED_FILE = 'converted';
const CONVERTED_CONTAINER = 'nut';

/** One frame is all priming: it takes a second one to be heard. */
const FEWEST_FRAMES = 2;
/**
 * Frames that a preview encodes before the first one that it keeps: the first is priming, the others let
 * the encoder's rate control and window shapes settle.
 */
const PREROLL_FRAMES = 8;

type Timed = Pick<VideoPlan, 'grid' | 'facts'>;

/**
 * Samples of each channel of a finished track, whole AAC frames. A video's sound ends where its picture
 * ends, to the nearest frame (Apple's HLS authoring specification, 8.2): it is filled up with silence,
 * or cut. Sound alone keeps its length.
 */
export function audioSamples({ grid, facts }: Timed, track: Pick<AudioTrack, 'streamIndex' | 'sampleRate'>): number {
  const own = facts.audio.find(({ streamIndex }) => streamIndex === track.streamIndex)?.duration ?? facts.duration;
  const frames = grid
    ? Math.round((secondsOf(grid, grid.totalFrames) * track.sampleRate) / AAC_FRAME)
    : Math.ceil((own * track.sampleRate) / AAC_FRAME);
  return Math.max(FEWEST_FRAMES, frames) * AAC_FRAME;
}

/** AAC frames of each segment: a segment ends at the first frame that starts at or after its time. */
export function audioSegmentFrames(samples: number, sampleRate: number): number[] {
  const frames = Math.ceil(samples / AAC_FRAME);
  const startOf = (segment: number): number => Math.min(frames, audioSegmentStart(segment, sampleRate));
  const sizes: number[] = [];
  for (let segment = 0; startOf(segment) < frames; segment += 1) sizes.push(startOf(segment + 1) - startOf(segment));
  return sizes;
}

/** The AAC frame that a segment starts with. */
export function audioSegmentStart(segment: number, sampleRate: number): number {
  return Math.ceil((segment * AUDIO_SEGMENT_SECONDS * sampleRate) / AAC_FRAME);
}

const LAYOUTS: Readonly<Record<number, string>> = { 1: 'mono', 2: 'stereo', 6: '5.1' };

/**
 * One rate and layout, by ITU-R BS.775 (front + 0.707 centre + 0.707 surround), scaled so that no sum of
 * full-scale channels clips: what that takes away, the loudness gain gives back.
 */
function converted({ sampleRate, channels }: AudioTrack, options = ''): string {
  const layout = LAYOUTS[channels];
  if (!layout) throw new TypeError(`no layout of ${channels} channels`);
  return `aresample=${sampleRate}:rematrix_maxval=1${options},aformat=sample_fmts=fltp:channel_layouts=${layout}`;
}

/** Sound shares its time 0 with the picture: gaps are filled with silence, and so is the time before the first sample. */
const ON_THE_CLOCK = ':async=1:min_hard_comp=0.05:first_pts=0';

export interface AudioInput {
  /** The track was rewritten by `convertAudioCommand` first. */
  readonly isConverted: boolean;
}

/** The file and the pad of a track within it. */
function inputOf({ facts }: Timed, track: AudioTrack, { isConverted }: AudioInput, seek: readonly string[] = []) {
  const file: FfmpegFile = isConverted
    ? { file: CONVERTED_FILE, options: forcedInput(CONVERTED_CONTAINER) }
    : { file: SOURCE_FILE, options: [...forcedInput(facts.container), ...seek] };
  return { file, pad: `[0:${isConverted ? 0 : track.streamIndex}]` };
}

/**
 * Pass 1: decodes the track, up to where it will be cut, and measures it. `readLoudness` reads the report.
 * Nothing in its graph minds being started anew, which is what ffmpeg does when the format changes midway.
 */
export function measureAudioCommand(plan: VideoPlan, track: AudioTrack, input: AudioInput): FfmpegCommand {
  const { file, pad } = inputOf(plan, track, input);
  const end = (audioSamples(plan, track) / track.sampleRate).toFixed(6);
  // The true peak needs four times the samples; without a gain nobody asks for it.
  const meter = `ebur128=framelog=verbose${plan.loudness ? ':peak=true' : ''}`;
  return {
    inputs: [file],
    filterGraph: `${pad}${converted(track)},atrim=end=${end},${meter}[a]`,
    outputs: [{ file: '-', options: ['-loglevel', 'info', '-map', '[a]', '-f', 'null'] }],
  };
}

/**
 * Rewrites a track whose format changes midway. When it does, ffmpeg starts the filters of a run anew: they
 * forget where on the clock they were, and would fill the time from 0 with silence once more.
 */
export function convertAudioCommand(plan: VideoPlan, track: AudioTrack): FfmpegCommand {
  const { file, pad } = inputOf(plan, track, { isConverted: false });
  return {
    inputs: [file],
    filterGraph: `${pad}${converted(track)}[a]`,
    outputs: [
      { file: CONVERTED_FILE, options: ['-map', '[a]', '-c:a', 'pcm_f32le', ...CLEAN_OUTPUT, '-f', CONVERTED_CONTAINER] },
    ], // prettier-ignore
  };
}

/** Bytes of the file that `convertAudioCommand` writes. */
export const convertedBytes = (seconds: number, { sampleRate, channels }: AudioTrack): number =>
  seconds * sampleRate * channels * Float32Array.BYTES_PER_ELEMENT;

/**
 * Pass 2. The encoder's priming takes the place of the first 21 ms instead of pushing everything back by
 * as much; so no player needs an edit list to be in sync.
 *
 * @param gain dB
 */
export function encodeAudioCommand(
  plan: VideoPlan,
  track: AudioTrack,
  { gain, ...input }: AudioInput & { readonly gain: number },
): FfmpegCommand {
  const { file, pad } = inputOf(plan, track, input);
  const samples = audioSamples(plan, track);
  const filters = [
    converted(track, ON_THE_CLOCK),
    ...(gain === 0 ? [] : [`volume=${gain.toFixed(2)}dB:precision=float`]),
    `apad=whole_len=${samples}`,
    `atrim=start_sample=${AAC_FRAME}:end_sample=${samples}`,
  ];
  return {
    inputs: [file],
    filterGraph: `${pad}${filters.join(',')}[a]`,
    outputs: [aacOutput(track, AUDIO_SEGMENT_SECONDS)],
  };
}

/** Longer than any preview: its run writes one segment, which is cut afterwards. Seconds. */
const ONE_SEGMENT = 86_400;

export interface PreviewRun {
  readonly command: FfmpegCommand;
  /** AAC frames of the track from its start to the first one that is kept. */
  readonly firstFrame: number;
  /** AAC frames that the run writes before that one. */
  readonly preroll: number;
  /** AAC frames that it writes after the last one that is kept. */
  readonly postroll: number;
  /** AAC frames of each wanted segment. */
  readonly segments: readonly number[];
  /** What of the source is read. Seconds on the grid's clock. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
}

/** Segments of a track as it is. The run writes `<track>/init.mp4` and, in one piece, `<track>/seg-00000.m4s`. */
export function previewAudioRun(plan: VideoPlan, track: AudioTrack, { firstSegment, segments }: Chunk): PreviewRun {
  const { sampleRate } = track;
  const total = audioSamples(plan, track);
  const sizes = audioSegmentFrames(total, sampleRate).slice(firstSegment, firstSegment + segments);
  const firstFrame = audioSegmentStart(firstSegment, sampleRate);
  const endFrame = firstFrame + sizes.reduce((sum, size) => sum + size, 0);
  const startFrame = plan.facts.seekable ? Math.max(0, firstFrame - PREROLL_FRAMES) : 0;
  const preroll = firstFrame - startFrame;
  const seconds = (frames: number): number => (frames * AAC_FRAME) / sampleRate;
  const seek = startFrame > 0 ? ['-noaccurate_seek', '-ss', seconds(startFrame).toFixed(6)] : [];
  const { file, pad } = inputOf(plan, track, { isConverted: false }, seek);
  // What is said in a frame overlaps the next one: one more is encoded, but not past the end of the track.
  const postroll = endFrame < total / AAC_FRAME ? 1 : 0;
  const samples = (endFrame + postroll - startFrame) * AAC_FRAME;
  const filters = [
    converted(track, ON_THE_CLOCK),
    `apad=whole_len=${samples}`,
    `atrim=start_sample=${AAC_FRAME}:end_sample=${samples}`,
  ];
  return {
    command: {
      inputs: [file],
      filterGraph: `${pad}${filters.join(',')}[a]`,
      outputs: [aacOutput(track, ONE_SEGMENT)],
    },
    firstFrame,
    preroll,
    postroll,
    segments: sizes,
    fromSeconds: seconds(startFrame),
    toSeconds: seconds(endFrame + postroll),
  };
}

/**
 * ffmpeg's default coder is for bit rates that we do not go down to by ourselves. At ours the other one is nearer
 * to the source (2 to 10 dB on speech and music), adds less to its peaks (0.3 instead of 2 dB) and takes half the time.
 */
const coderFor = ({ bitrateKbps, channels }: AudioTrack): string =>
  bitrateKbps / channels < LOW_KBPS_PER_CHANNEL ? 'twoloop' : 'fast';
const LOW_KBPS_PER_CHANNEL = 32;

function aacOutput(track: AudioTrack, segmentSeconds: number): FfmpegFile {
  return {
    file: `${track.name}/index.m3u8`,
    options: [
      '-map', '[a]',
      '-c:a', 'aac', '-aac_coder', coderFor(track), '-b:a', `${track.bitrateKbps}k`, '-flags', '+bitexact',
      ...CLEAN_OUTPUT,
      ...hlsOptions(track.name, segmentSeconds, 0),
    ], // prettier-ignore
  };
}
