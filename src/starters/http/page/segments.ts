/** How far each rung and sound of a video is, segment by segment. Pure. */
import { AUDIO_SEGMENT_SECONDS, segmentCount, type VideoPlan } from '../../../contracts/plan.js';
import { segmentOf, streamUri, type StreamType } from '../../../media/video/layout.js';

export interface StreamSegments {
  readonly name: string;
  readonly type: StreamType;
  /** One letter for each: `d`one, `r`unning, `w`aiting. */
  readonly segments: string;
}

interface Stream {
  readonly name: string;
  readonly type: StreamType;
  readonly total: number;
}

/** Largest first, sounds last. */
export function streamsOf({ grid, rungs, audio, facts }: VideoPlan): Stream[] {
  const pictures = grid ? segmentCount(grid) : 0;
  const sounds = Math.max(1, Math.ceil(facts.duration / AUDIO_SEGMENT_SECONDS));
  return [
    ...rungs.map(({ name }) => ({ name, type: 'video' as const, total: pictures })),
    ...audio.map(({ name }) => ({ name, type: 'audio' as const, total: sounds })),
  ];
}

/** @param missing names of what was withdrawn */
export const publishedSegments = (plan: VideoPlan, missing: readonly string[]): StreamSegments[] =>
  streamsOf(plan).map(({ name, type, total }) => ({
    name,
    type,
    segments: (missing.includes(name) ? 'w' : 'd').repeat(total),
  }));

/**
 * @param paths of objects below the generation's prefix
 * @param atWork what is being made: `segments 3-5` of all rungs, or the name of a rung or sound
 */
export function growingSegments(
  plan: VideoPlan,
  paths: readonly string[],
  atWork: readonly string[],
): StreamSegments[] {
  const ranges = atWork.flatMap((what) => {
    const [, from, to] = /^segments (\d+)-(\d+)$/.exec(what) ?? [];
    return from === undefined || to === undefined ? [] : [{ from: Number(from), to: Number(to) }];
  });
  const there = new Map<string, Set<number>>();
  for (const path of paths) {
    const slash = path.lastIndexOf('/') + 1;
    const segment = segmentOf(path.slice(slash));
    if (segment === undefined) continue;
    const folder = path.slice(0, slash);
    there.set(folder, (there.get(folder) ?? new Set()).add(segment));
  }
  return streamsOf(plan).map(({ name, type, total }) => {
    const done = there.get(streamUri(type, name));
    const isMade = (i: number): boolean =>
      atWork.includes(name) || (type === 'video' && ranges.some(({ from, to }) => from <= i && i <= to));
    const letter = (i: number): string => (done?.has(i) ? 'd' : isMade(i) ? 'r' : 'w');
    return { name, type, segments: Array.from({ length: total }, (_, i) => letter(i)).join('') };
  });
}
