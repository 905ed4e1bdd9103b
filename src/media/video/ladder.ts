/** The rungs of a video: which sizes in which codecs, how good, how many bits. */
import type { VideoCodec, VideoRung } from '../../contracts/plan.js';
import type { Profile, RungSpec } from '../../contracts/profile.js';
import { codecsOf } from './codec-names.js';
import { levelOf } from './level.js';

/** A rung with the short side that it gets of this source. */
type Sized = RungSpec & { readonly short: number };

/** Half again the bits for twice the frames: neighbouring frames resemble each other more. */
const HIGH_RATE_FACTOR = 1.5;

/** Decoders in phones and televisions refuse wider pictures. */
const MAX_LONG_SIDE = 4096;

/**
 * Largest first, of one size H.264 last, so that the last one is what any player starts with. Never larger
 * than the source; of a codec that has no size as small as the source, one rung of the source's own size.
 * All sides even (4:2:0), at least 2.
 *
 * @param width displayed size of the source in square pixels
 * @param fps output frame rate
 */
export function ladder(
  width: number,
  height: number,
  fps: number,
  { rungs, presets }: Pick<Profile, 'rungs' | 'presets'>,
): VideoRung[] {
  const short = Math.min(width, height);
  const sized = rungs.map((spec): Sized => ({ ...spec, short: spec.size === 'source' ? short : spec.size }));
  const codecs = [...new Set(sized.map(({ codec }) => codec))];
  const made = codecs
    .flatMap((codec) =>
      fitting(
        sized.filter((spec) => spec.codec === codec),
        short,
      ),
    )
    .sort((a, b) => b.short - a.short || Number(a.codec === 'h264') - Number(b.codec === 'h264'))
    .map((spec) => rungOf(spec, width, height, fps, spec.preset ?? presets[spec.codec]));
  // Very wide pictures are bounded by their long side: several rungs may come out alike.
  return made.filter((rung, index) => made.findIndex(({ name }) => name === rung.name) === index);
}

function fitting(specs: readonly Sized[], short: number): Sized[] {
  const small = specs.filter((spec) => spec.short <= short);
  if (small.length > 0) return small;
  return [{ ...specs.reduce((a, b) => (b.short < a.short ? b : a)), short }];
}

/** The short side; the codec too, unless every player takes it. */
export const rungName = (short: number, codec: VideoCodec): string =>
  codec === 'h264' ? `${short}p` : `${short}p-${codec}`;

function rungOf(spec: Sized, width: number, height: number, fps: number, preset: string): VideoRung {
  const { codec, crf } = spec;
  const scale = Math.min(spec.short / Math.min(width, height), MAX_LONG_SIDE / Math.max(width, height), 1);
  const size = { width: even(width, scale), height: even(height, scale) };
  const maxrateKbps = Math.round(spec.capKbps * (fps > 30 ? HIGH_RATE_FACTOR : 1));
  const rate = { maxrateKbps, bufsizeKbps: maxrateKbps * 2 };
  const level = levelOf(codec, { ...size, fps, ...rate });
  const name = rungName(Math.min(size.width, size.height), codec);
  return { name, ...size, codec, crf, ...rate, preset, level, codecs: codecsOf(codec, level) };
}

/** The nearest even number of pixels that does not exceed the source's side. */
function even(side: number, scale: number): number {
  const nearest = 2 * Math.round((side * scale) / 2);
  return Math.max(2, nearest > side ? 2 * Math.floor(side / 2) : nearest);
}
