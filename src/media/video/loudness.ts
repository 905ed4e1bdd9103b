/** Loudness after EBU R 128 / ITU-R BS.1770: one linear gain for a whole track, never a compressor. */
import type { EncodedAudio, LoudnessPlan } from '../../contracts/plan.js';

/** Nothing passed the absolute gate of -70 LUFS: silence, or less than one block of 0.4 s. */
const SILENCE_LUFS = -70;
/** More than this raises the noise of a quiet recording rather than what was recorded. dB */
const MAX_GAIN = 20;
/** AAC is not exact: peaks of what is decoded stand higher by up to 0.3; and the meter rounds to tenths. dB */
const CODEC_HEADROOM = 0.5;

export type Loudness = NonNullable<EncodedAudio['loudness']>;

export interface SoundReport {
  /** Absent where the sound is silent or too short to be measured, or its peak was not asked for. */
  readonly loudness?: Loudness | undefined;
  /** The sound changes its rate or layout midway: what was measured are its parts. */
  readonly changesFormat: boolean;
}

const SUMMARY = /^\[Parsed_ebur128_\d+ @ [^\]]*\] Summary:$/m;

/** @param stderr of a run of `measureAudioCommand`: ebur128 reports each time that its graph is taken down */
export function readLoudness(stderr: string): SoundReport {
  const [, ...summaries] = stderr.split(SUMMARY);
  // ffmpeg builds a graph once to look at its pads, and takes it down: that one has no threshold.
  const ran = summaries.filter((summary) => (valueOf(summary, 'Threshold') ?? 0) < 0);
  const integrated = valueOf(ran[0], 'I');
  const truePeak = valueOf(ran[0], 'Peak');
  const isMeasured = integrated !== undefined && integrated > SILENCE_LUFS && truePeak !== undefined;
  return { loudness: isMeasured ? { integrated, truePeak } : undefined, changesFormat: ran.length > 1 };
}

function valueOf(summary: string | undefined, name: string): number | undefined {
  const text = summary && new RegExp(`^ *${name}: +(-?[\\d.]+) `, 'm').exec(summary)?.[1];
  return text === undefined ? undefined : Number(text);
}

/** dB that bring a track to its target; less where its peaks would pass the limit. 0 for what could not be measured. */
export function gainFor(loudness: Loudness | undefined, plan: LoudnessPlan | undefined): number {
  if (!loudness || !plan) return 0;
  const wanted = plan.target - loudness.integrated;
  const allowed = plan.truePeak - CODEC_HEADROOM - loudness.truePeak;
  return Math.round(Math.min(wanted, allowed, MAX_GAIN) * 100) / 100;
}
