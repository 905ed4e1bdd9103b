/** What must be the same of two uploads so that the outputs of one are right for the other. */
import { createHash } from 'node:crypto';

import type { Content } from '../../catalogue/contents.js';
import type { Job } from '../../contracts/assets.js';
import { focalPointOf } from '../../media/image/focal-point.js';
import type { ActivityContext } from '../context.js';

/**
 * The bytes; the profile, by its name and by what it says now: one that an operator has changed is another; what of the
 * uploader's own words is looked at; and where outputs go.
 */
export function contentOf(
  { config, profiles }: Pick<ActivityContext, 'config' | 'profiles'>,
  { tenant, profile, metadata }: Job,
  sha256: string,
): Content {
  const focus = focalPointOf(metadata);
  const fingerprint = createHash('sha256')
    .update(
      JSON.stringify([profiles.get(profile), focus === 'invalid' ? undefined : focus, config.storage.mediaBucket]),
    )
    .digest('hex');
  return { tenant, sha256, profile: `${profile}@${fingerprint.slice(0, 16)}` };
}
