/** Changes what is said of an asset, and how soon it is its turn. */
import { WorkflowNotFoundError } from '@temporalio/client';

import type { AssetRow } from '../../catalogue/catalogue.js';
import { patchAsset as patchRow } from '../../catalogue/patch.js';
import { FINAL_STATES, type Priority } from '../../contracts/assets.js';
import { UPDATE_SET_PRIORITY } from '../../contracts/progress.js';
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
 * @throws ApiProblem `asset-unknown`, `asset-deleted`, `precondition-failed`, `invalid-request`; `unavailable` when
 *   the work under way could not be given its new priority: then nothing has changed
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
  if (priority !== undefined && priority !== row.priority) await hasten(ctx, row, priority);
  const patched = await patchRow(ctx.db, caller.tenant, assetId, revision, { ...patch, priority });
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

/** Work that has not begun begins with the job of the row. */
async function hasten({ temporal }: ApiContext, row: AssetRow, priority: Priority): Promise<void> {
  if (FINAL_STATES.includes(row.state) || row.state === 'received') return;
  const handle = temporal.workflow.getHandle(row.workflowId);
  try {
    await temporal.withDeadline(Date.now() + DEADLINE, () =>
      handle.executeUpdate(UPDATE_SET_PRIORITY, { args: [priority] }),
    );
  } catch (error) {
    // It has ended in this moment.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
