/** What of the source is not in the result although every rendition is there: said aloud, never hidden. */
import type { Made, MissingPart } from '../../contracts/activities.js';
import { MediaError, type ErrorCode } from '../../contracts/errors.js';
import { secondsOf, type VideoPlan } from '../../contracts/plan.js';
import { toNumber } from './frame-rate.js';

/** More damage than this, and what is left is not worth showing. */
const MAX_DAMAGED_SHARE = 0.1;
/** Frames that a cut goes through. */
const CUT_FRAMES = 2;
/** A stream that was cut out of another begins or ends within a packet of sound, and nothing else is wrong with it. */
const CUT_PACKETS = 1;
/** Last frames that decoders may swallow, or that a measurement may be off by. */
const EDGE_SECONDS = 0.5;
/** Less than this of what the packets promised: the file is damaged. */
const ENOUGH = 0.9;
/** A segment's worth is worth keeping, however much is missing. */
const KEEP_SECONDS = 4;

/** @throws MediaError DAMAGED_FILE when too little could be decoded */
export function shortfalls(
  { grid, facts }: Pick<VideoPlan, 'grid' | 'facts'>,
  { frames, damagedFrames, audio }: Pick<Made, 'frames' | 'damagedFrames' | 'audio'>,
): MissingPart[] {
  const missing: MissingPart[] = [];
  if (facts.truncatedFrom !== undefined) {
    missing.push(
      part('end', 'TRUNCATED_FILE', `${facts.duration.toFixed(1)} of ${facts.truncatedFrom.toFixed(1)} s are there.`),
    );
  }
  for (const { name, damagedFrames: packets = 0 } of audio) {
    if (packets > CUT_PACKETS)
      missing.push(part('damaged sound', 'DAMAGED_FILE', `At least ${packets} packets of ${name} are damaged.`));
  }
  if (!grid) return missing;
  const planned = secondsOf(grid, grid.totalFrames);
  const made = secondsOf(grid, frames);
  if (made < planned - EDGE_SECONDS || made < planned * ENOUGH) {
    const detail = `${made.toFixed(1)} of ${planned.toFixed(1)} s could be decoded.`;
    if (made < planned * ENOUGH && made < KEEP_SECONDS) throw new MediaError('DAMAGED_FILE', detail);
    missing.push(part('end', 'DAMAGED_FILE', detail));
  }
  if (damagedFrames > (facts.truncatedFrom === undefined ? 0 : CUT_FRAMES)) {
    const sourceFrames = Math.max(1, Math.round(made * (facts.video?.frameRate ?? toNumber(grid.fps))));
    const detail = `At least ${damagedFrames} of ${sourceFrames} frames are damaged.`;
    if (damagedFrames > sourceFrames * MAX_DAMAGED_SHARE) throw new MediaError('DAMAGED_FILE', detail);
    missing.push(part('damaged frames', 'DAMAGED_FILE', detail));
  }
  return missing;
}

function part(name: string, code: ErrorCode, detail: string): MissingPart {
  return { name, error: { code, message: new MediaError(code, detail).message } };
}
