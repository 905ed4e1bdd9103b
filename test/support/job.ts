import type { Job, SourceRef } from '../../src/contracts/assets.js';
import { assetIdOf, workflowIdOf } from '../../src/contracts/ids.js';

/** The job that a starter would make of an object. @param own what differs */
export function jobOf(source: SourceRef, own: Partial<Job> = {}): Job {
  return {
    assetId: assetIdOf(source),
    workflowId: workflowIdOf(source),
    generation: 1,
    source,
    tenant: 'default',
    profile: 'default',
    priority: 3,
    uploadedAt: new Date().toISOString(),
    ...own,
  };
}
