/** Encodes segments again, and nothing else. */
import { isCancellation } from '@temporalio/workflow';

import type { Finding } from '../contracts/activities.js';
import type { Chunk } from '../contracts/plan.js';
import type { Studio } from './studio.js';
import { inLanes } from './together.js';

export const ENCODE_LANES = 16;

/** @param findings those of rungs that are copied, and of what is no rung, are none of its business. */
export async function encodeAgain(
  findings: readonly Finding[],
  studio: Studio,
  { isSpare = false }: { readonly isSpare?: boolean } = {},
): Promise<void> {
  const rungs = studio.steps.plan.rungs.filter(
    ({ name, passthrough }) => !passthrough && findings.some((finding) => finding.name === name),
  );
  for (const { name } of rungs) studio.story.part(name, 'running');
  await inLanes(ENCODE_LANES, runsOf(findings, studio), (run) => encode(run, studio, isSpare));
  for (const name of studio.parts.left(rungs)) studio.story.part(name, 'done');
}

interface Run {
  readonly chunk: Chunk;
  readonly rungs: readonly string[];
}

/** The same segments of several rungs come of one decode. */
function runsOf(findings: readonly Finding[], { steps, chunks }: Studio): Run[] {
  const runs = new Map<string, Run>();
  for (const { name } of steps.plan.rungs.filter(({ passthrough }) => !passthrough)) {
    const finding = findings.find((one) => one.name === name);
    for (const chunk of finding ? (finding.segments ?? chunks.all) : []) {
      const key = `${chunk.firstSegment}+${chunk.segments}`;
      runs.set(key, { chunk, rungs: [...(runs.get(key)?.rungs ?? []), name] });
    }
  }
  return [...runs.values()].toSorted((a, b) => a.chunk.firstSegment - b.chunk.firstSegment);
}

async function encode(
  { chunk, rungs }: Run,
  { steps, parts, quality, pacing }: Studio,
  isSpare: boolean,
): Promise<void> {
  try {
    await parts.stoppable<void>(() => {
      const left = rungs.filter((name) => !parts.isLost(name));
      if (left.length === 0) return [[], () => Promise.resolve()];
      const make = async (): Promise<void> => {
        const result = await steps.encodeChunk(chunk, left, false, { isHasty: pacing.isHasty, isSpare });
        if (result.timing) pacing.measured(result.timing);
        for (const name of left) quality.forget(name, chunk);
        quality.add(chunk, result.quality);
      };
      return [left, make];
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    for (const name of rungs) if (!parts.isLost(name)) parts.lose(name, error);
  }
}
