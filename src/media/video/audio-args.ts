/** One ffmpeg run for an audio track: one continuous encode, because joined encodes click. */
import type { AudioTrack, VideoPlan } from '../../contracts/plan.js';
import type { FfmpegCommand } from '../ffmpeg-command.js';
import { CLEAN_OUTPUT, hlsOptions, SOURCE_FILE } from './encode-args.js';
import { forcedInput } from './ffmpeg-input.js';

/** Samples of an AAC frame; also what ffmpeg's encoder puts before the first sample (its priming). */
export const AAC_FRAME = 1024;
export const AUDIO_SEGMENT_SECONDS = 4;

/**
 * Sound shares its time 0 with the picture: gaps are filled with silence, and so is the time before
 * the first sample. The encoder's priming takes the place of the first 21 ms instead of pushing
 * everything back by as much; so no player needs an edit list to be in sync.
 */
export function encodeAudioCommand(plan: VideoPlan, track: AudioTrack): FfmpegCommand {
  const layout = track.channels === 1 ? 'mono' : 'stereo';
  const filters = [
    `aresample=${track.sampleRate}:async=1:min_hard_comp=0.05:first_pts=0`,
    `aformat=sample_fmts=fltp:channel_layouts=${layout}`,
    `apad=whole_len=${AAC_FRAME * 2}`,
    `atrim=start_sample=${AAC_FRAME}`,
  ];
  return {
    inputs: [{ file: SOURCE_FILE, options: forcedInput(plan.facts.container) }],
    filterGraph: `[0:${track.streamIndex}]${filters.join(',')}[a]`,
    outputs: [
      {
        file: `${track.name}/index.m3u8`,
        options: [
          '-map', '[a]',
          '-c:a', 'aac', '-b:a', `${track.bitrateKbps}k`, '-flags', '+bitexact',
          ...CLEAN_OUTPUT,
          ...hlsOptions(track.name, AUDIO_SEGMENT_SECONDS, 0),
        ], // prettier-ignore
      },
    ],
  };
}

/** AAC frames of each segment: a segment ends at the first frame that starts at or after its time. */
export function audioSegmentFrames(samples: number, sampleRate: number): number[] {
  const frames = Math.ceil(samples / AAC_FRAME);
  const startOf = (segment: number): number =>
    Math.min(frames, Math.ceil((segment * AUDIO_SEGMENT_SECONDS * sampleRate) / AAC_FRAME));
  const sizes: number[] = [];
  for (let segment = 0; startOf(segment) < frames; segment += 1) sizes.push(startOf(segment + 1) - startOf(segment));
  return sizes;
}
