/** Revisions of an asset as HTTP and gRPC carry them: `"r5"`. */
import type { Condition } from '../lifecycle/types.js';
import { ApiProblem } from '../problems.js';

export const etagOf = (revision: number): string => `"r${revision}"`;

export const changed = (): ApiProblem =>
  new ApiProblem('precondition-failed', { detail: 'It has changed since: read it again.' });

/**
 * @param header `If-Match`; several are as good as the last of them that is ours
 * @throws ApiProblem `precondition-failed` for what can match nothing
 */
export function conditionOf(header: string | undefined): Condition {
  if (header === undefined || header.trim() === '*') return {};
  const revisions = header.split(',').flatMap((tag) => /^\s*"r(\d{1,9})"\s*$/.exec(tag)?.[1] ?? []);
  if (revisions.length === 0) throw changed();
  return { revision: Math.max(...revisions.map(Number)) };
}
