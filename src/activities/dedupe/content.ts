/** What must be the same of two uploads so that the outputs of one are right for the other. */
import { createHash } from 'node:crypto';

import type { Content } from '../../catalogue/contents.js';
import type { Job } from '../../contracts/assets.js';
import type { Profile } from '../../contracts/profile.js';
import { focalPointOf } from '../../media/image/focal-point.js';

/**
 * The bytes; the profile, by its name and by what it says now: one that an operator has changed is another; and what of
 * the uploader's own words is looked at.
 */
export function contentOf({ tenant, profile: name, metadata }: Job, profile: Profile, sha256: string): Content {
  const focus = focalPointOf(metadata);
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([profile, focus === 'invalid' ? undefined : focus]))
    .digest('hex');
  return { tenant, sha256, profile: `${name}@${fingerprint.slice(0, 16)}` };
}
