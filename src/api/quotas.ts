/** How much a key may still upload. */
import type { Usage } from '../catalogue/quotas.js';
import type { KeyLimits } from './caller.js';
import { ApiProblem } from './problems.js';

/** Seconds. Room comes with the end of an upload, or with the hours. */
const SOON = 30;
const LATER = 3600;

/**
 * @param size bytes, where they are announced
 * @param isImage it has no minutes
 * @returns how many bytes an upload of unknown size may have, nothing when there is no limit; or why there is no room:
 *   ApiProblem `quota-exceeded`
 */
export function roomFor(
  limits: KeyLimits,
  usage: Usage,
  { size, isImage }: { readonly size: number | undefined; readonly isImage: boolean },
): number | ApiProblem | undefined {
  const { openUploads = 0, bytesPerDay = 0, minutesPerDay = 0 } = limits;
  if (openUploads > 0 && usage.openUploads >= openUploads) {
    return refusal(`${openUploads} uploads at once are allowed.`, SOON);
  }
  if (minutesPerDay > 0 && !isImage && usage.minutes >= minutesPerDay) {
    return refusal(`${minutesPerDay} minutes a day are allowed.`, LATER);
  }
  if (bytesPerDay === 0) return undefined;
  const room = bytesPerDay - usage.bytes;
  if (room <= 0 || (size ?? 0) > room) return beyondBytes(bytesPerDay);
  return room;
}

export const beyondBytes = (bytesPerDay: number): ApiProblem =>
  refusal(`${bytesPerDay} bytes a day are allowed.`, LATER);

const refusal = (detail: string, retryAfter: number): ApiProblem =>
  new ApiProblem('quota-exceeded', { detail, retryAfter });
