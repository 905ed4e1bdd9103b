/** Bytes on which decoders gave way are not decoded again, whoever uploads them, until an operator lets them. */
import type { Job } from '../../contracts/assets.js';
import { ERRORS, MediaError, type ErrorCode } from '../../contracts/errors.js';
import type { ActivityContext } from '../context.js';
import type { ActivityScope } from '../scope.js';

/** What is held against a file only after a second try in a fresh process. */
const GAVE_WAY: ReadonlySet<ErrorCode> = new Set(['DECODER_CRASHED', 'DECODER_TIMEOUT']);

/**
 * Runs what decodes the bytes, unless they are in quarantine. When decoders give way for good, they are put there.
 *
 * @throws the verdict on the bytes, the same as the first time; and what `decode` throws
 */
export async function withQuarantine<T>(
  { catalogue }: Pick<ActivityContext, 'catalogue'>,
  scope: Pick<ActivityScope, 'isFinal' | 'logger'>,
  job: Job,
  sha256: string,
  decode: () => Promise<T>,
): Promise<T> {
  const known = await catalogue.quarantined(sha256);
  if (known) {
    scope.logger.warn('in quarantine: not decoded', { assetId: job.assetId, sha256, since: known.since });
    const { code, message } = known.verdict;
    throw new MediaError(code, message.slice(ERRORS[code].sentence.length).trim(), { final: true });
  }
  try {
    return await decode();
  } catch (error) {
    if (MediaError.is(error) && GAVE_WAY.has(error.code) && scope.isFinal(error)) {
      scope.logger.warn('decoders gave way: quarantined', { assetId: job.assetId, sha256, code: error.code });
      await catalogue.quarantine(job, sha256, { code: error.code, message: error.message });
    }
    throw error;
  }
}
