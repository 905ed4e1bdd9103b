/** Changes what is said of an asset, and how soon it is its turn. */
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';

import type { AssetRow } from '../../catalogue/catalogue.js';
import { patchAsset as patchRow } from '../../catalogue/patch.js';
import { FINAL_STATES, type Priority } from '../../contracts/assets.js';
import { problemOfWishes, type DeadlineChange } from '../../contracts/deadlines.js';
import { UPDATE_SET_DEADLINE, UPDATE_SET_PRIORITY } from '../../contracts/progress.js';
import { mustAllow, type Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import type { Condition } from '../lifecycle/types.js';
import { ApiProblem } from '../problems.js';
import { findAsset } from './find.js';
import { changed } from './revision.js';
import type { AssetPatchBody } from './schemas.js';

const METADATA_BYTES = 4096;
/** Milliseconds. */
const DEADLINE = 5_000;

/**
 * @returns the row as it is afterwards
 * @throws ApiProblem `asset-unknown`, `asset-deleted`, `precondition-failed`, `invalid-request`, `deadline-refused`, `conflict` for the
 *   deadline of what is published; `unavailable` when the work under way could not be told: then nothing has changed
 */
export async function patchAsset(
  ctx: ApiContext,
  caller: Caller,
  assetId: string,
  patch: AssetPatchBody,
  { revision }: Condition = {},
): Promise<AssetRow> {
  mustAllow(caller, 'write');
  if (Buffer.byteLength(JSON.stringify(patch.metadata ?? {})) > METADATA_BYTES)
    throw new ApiProblem('invalid-request', { detail: `metadata may have ${METADATA_BYTES} bytes together.` });
  const row = await findAsset(ctx, caller, assetId);
  if (row.state === 'deleted') throw new ApiProblem('asset-deleted');
  if (revision !== undefined && revision !== row.revision) throw changed();
  const priority = patch.priority as Priority | undefined;
  const deadline = changeOf(row, patch);
  if (priority !== undefined && priority !== row.priority) await tellWork(ctx, row, UPDATE_SET_PRIORITY, priority);
  // Work that waits for its turn has begun with a job of its own: that it is late is when others want to change it.
  const isTold = !deadline || (await tellWork(ctx, row, UPDATE_SET_DEADLINE, deadline, { evenReceived: true }));
  const patched = await patchRow(ctx.db, caller.tenant, assetId, revision, {
    ...patch,
    ...utcOf(patch),
    priority,
  });
  // It may have begun in between, as the row had it before.
  if (!isTold && patched.outcome === 'patched')
    await tellWork(ctx, row, UPDATE_SET_DEADLINE, deadline, { evenReceived: true });
  switch (patched.outcome) {
    case 'patched':
      return patched.row;
    case 'unknown':
      throw new ApiProblem('asset-unknown');
    case 'deleted':
      throw new ApiProblem('asset-deleted');
    case 'changed':
      throw changed();
  }
}

/** @returns undefined where nothing of it changes */
function changeOf(row: AssetRow, { publishBy, publishNotBefore }: AssetPatchBody): DeadlineChange | undefined {
  if (publishBy === undefined && publishNotBefore === undefined) return undefined;
  const wishes = { publishBy: row.publishBy?.toISOString(), publishNotBefore: row.publishNotBefore?.toISOString() };
  const problem = problemOfWishes({
    publishBy: publishBy === undefined ? wishes.publishBy : (publishBy ?? undefined),
    publishNotBefore: publishNotBefore === undefined ? wishes.publishNotBefore : (publishNotBefore ?? undefined),
  });
  if (problem !== undefined) throw new ApiProblem('deadline-refused', { detail: problem });
  if (row.firstPublishedAt) throw new ApiProblem('conflict', { detail: 'It is published already.' });
  return utcOf({ publishBy, publishNotBefore });
}

/**
 * Work that has not begun begins with the job of the row.
 *
 * @returns whether somebody was told
 */
async function tellWork(
  { temporal }: ApiContext,
  row: AssetRow,
  update: string,
  args: unknown,
  { evenReceived = false } = {},
): Promise<boolean> {
  if (FINAL_STATES.includes(row.state) || (row.state === 'received' && !evenReceived)) return false;
  const handle = temporal.workflow.getHandle(row.workflowId);
  try {
    await temporal.withDeadline(Date.now() + DEADLINE, () => handle.executeUpdate(update, { args: [args] }));
    return true;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError)
      throw new ApiProblem('conflict', { detail: error.cause?.message ?? error.message });
    // It has ended in this moment.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return false;
  }
}

/** As jobs carry times. */
function utcOf({ publishBy, publishNotBefore }: AssetPatchBody): DeadlineChange {
  const utc = (time: string | null | undefined) => time && new Date(time).toISOString();
  return { publishBy: utc(publishBy), publishNotBefore: utc(publishNotBefore) };
}
