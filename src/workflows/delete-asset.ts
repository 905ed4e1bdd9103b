import { proxyActivities } from '@temporalio/workflow';

import type { DeleteRequest, LifecycleActivities } from '../contracts/lifecycle.js';
import { DEFAULT_QUEUES, type QueueNames } from '../contracts/names.js';
import { policies } from './policies.js';

/** Of an asset that the catalogue calls deleted: its work ends, its objects go. Cannot fail, only take longer. */
export async function deleteAsset(
  { assetId, tenant }: DeleteRequest,
  queues: QueueNames = DEFAULT_QUEUES,
): Promise<void> {
  const { purgeAsset } = proxyActivities<LifecycleActivities>(
    policies.end({ tenant, priority: 3, queues }, 'stop work, remove objects'),
  );
  await purgeAsset(assetId);
}
