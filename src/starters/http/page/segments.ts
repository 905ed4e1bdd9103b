/** How far each rung and sound of a video is, segment by segment. Pure. */
import { AUDIO_SEGMENT_SECONDS, chunksOf, segmentCount, type VideoPlan } from '../../../contracts/plan.js';
import type { PartProgress } from '../../../contracts/progress.js';
import { segmentOf, streamUri, type StreamType } from '../../../media/video/layout.js';

export interface StreamSegments {
  readonly name: string;
  readonly type: StreamType;
  /** One letter for each: `d`one, `r`unning (or with a worker soon), `w`aiting. */
  readonly segments: string;
}

/** What the workflow says of itself, as far as it matters here. */
export interface Running {
  readonly parts: readonly Pick<PartProgress, 'name' | 'state'>[];
  /** Of the picture's chunks, a letter for each. */
  readonly chunks: string;
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

/** @param paths of objects below the generation's prefix */
export function growingSegments(plan: VideoPlan, paths: readonly string[], running: Running): StreamSegments[] {
  const states = chunksOf(plan).flatMap(({ segments }, i) =>
    Array<string>(segments).fill(running.chunks[i] === 'r' || running.chunks[i] === 'd' ? 'r' : 'w'),
  );
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
    const isBegun = running.parts.some((part) => part.name === name && part.state === 'running');
    const other = (i: number): string => (type === 'video' ? (states[i] ?? 'w') : isBegun ? 'r' : 'w');
    return { name, type, segments: Array.from({ length: total }, (_, i) => (done?.has(i) ? 'd' : other(i))).join('') };
  });
}
