import { randomUUID } from 'node:crypto';

import type { Job, SourceRef } from '../../src/contracts/assets.js';
import { assetIdOf, workflowIdOf } from '../../src/contracts/ids.js';

/**
 * The job that a starter would make of an object, of a tenant that has nothing else: the same bytes are made anew.
 *
 * @param own what differs
 */
export function jobOf(source: SourceRef, own: Partial<Job> = {}): Job {
  return {
    assetId: assetIdOf(source),
    workflowId: workflowIdOf(source),
    generation: 1,
    source,
    tenant: uniqueTenant(),
    profile: 'default',
    priority: 3,
    uploadedAt: new Date().toISOString(),
    ...own,
  };
}

export const uniqueTenant = (): string => `tenant-${randomUUID().slice(0, 8)}`;
