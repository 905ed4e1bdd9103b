/** Hands what was published to its targets. Nothing that happens here takes the publication back. */
import { CancellationScope, isCancellation, log, proxyActivities } from '@temporalio/workflow';

import type { PublishActivities } from '../contracts/activities.js';
import type { Job } from '../contracts/assets.js';
import type { WantedTarget } from '../contracts/targets.js';
import { policies, type Setting } from './policies.js';

/** Whose publication it is. */
interface Publication {
  readonly job: Job;
  readonly setting: Setting;
  /** ISO 8601. */
  readonly deadline: { readonly publishBy: string | undefined };
  enter(stage: string): void;
}

/** Those of one workflow: what is published early is delivered while the rest is made. */
export class Deliveries {
  private readonly begun: Promise<void>[] = [];

  constructor(private readonly of: Publication) {}

  /** To be called after each publication. Nothing is written into the history where there is no target. */
  begin(targets: readonly WantedTarget[] = []): void {
    this.begun.push(...targets.map(({ name }) => deliver(this.of, name)));
  }

  /** Until all have answered, or have been given up. */
  async over(): Promise<void> {
    if (this.begun.length === 0) return;
    this.of.enter('delivering');
    await Promise.all(this.begun);
  }
}

/** A target that does not answer is tried again for a day: meanwhile its state is in the catalogue. */
async function deliver({ job, setting, deadline }: Publication, target: string): Promise<void> {
  const { assetId, generation, tenant } = job;
  const activities = proxyActivities<PublishActivities>(policies.deliver(setting, `deliver to ${target}`));
  try {
    await activities.deliver({ assetId, generation, tenant, target, publishBy: deadline.publishBy });
  } catch (error) {
    // It is published: there is nothing left that could be cancelled.
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) return;
    log.warn('not delivered', { target, error });
  }
}
