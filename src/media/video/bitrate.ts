/** Bit rates of segments, bits per second. */

export interface Sized {
  readonly bytes: number;
  readonly seconds: number;
}

/**
 * RFC 8216, 4.1: the largest rate of any run of segments that lasts at least half the target duration
 * (a last segment of one key frame says nothing about the bandwidth that playing needs).
 */
export function peakBitrate(segments: readonly Sized[]): number {
  const half = Math.max(0, ...segments.map(({ seconds }) => Math.round(seconds))) / 2;
  let peak = 0;
  segments.forEach((_, start) => {
    let bytes = 0;
    let seconds = 0;
    for (let i = start; i < segments.length && (seconds === 0 || seconds < half); i += 1) {
      bytes += segments[i]!.bytes;
      seconds += segments[i]!.seconds;
    }
    if (seconds >= half) peak = Math.max(peak, rate({ bytes, seconds }));
  });
  return peak;
}

export function averageBitrate(segments: readonly Sized[]): number {
  return rate({
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    seconds: segments.reduce((sum, { seconds }) => sum + seconds, 0),
  });
}

const rate = ({ bytes, seconds }: Sized): number => (seconds > 0 ? Math.ceil((bytes * 8) / seconds) : 0);
