/** What playing needs of others. */
import type { ApiContext } from '../../../api/context.js';
import { wanted } from '../../../client/wanted.js';
import type { WantedSegment } from '../../../contracts/progress.js';

export interface PlayContext extends Pick<ApiContext, 'catalogue' | 'config' | 'db' | 'logger' | 'store'> {
  /** Tells a workflow that a viewer waits for a segment. Rejects when it can't be told. */
  readonly wanted: (workflowId: string, wanted: WantedSegment) => Promise<void>;
}

/** A segment that is asked for by a player that has gone since is of no use. Milliseconds. */
const WISH_DEADLINE = 5_000;

export const playContext = (ctx: ApiContext): PlayContext => ({
  ...ctx,
  wanted: async (workflowId, wish) => {
    await ctx.temporal.withDeadline(Date.now() + WISH_DEADLINE, () => wanted(ctx.temporal, workflowId, wish));
  },
});
