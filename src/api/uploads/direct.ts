/** Uploads straight to the store, by URLs that we sign: in one request, or in parts. */
import { closeUpload, findUpload, saveProgress, settleUpload, type UploadRow } from '../../catalogue/uploads.js';
import { MediaError } from '../../contracts/errors.js';
import { checkObject } from '../../storage/check-object.js';
import { MAX_PARTS, type Part, type PartUpload } from '../../storage/part-store.js';
import { mustAllow, type Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problems.js';
import type { UploadFacts } from './facts.js';
import { openUpload } from './open.js';

export type DirectContext = Pick<ApiContext, 'config' | 'logger' | 'db' | 'store' | 'wake'>;
export type DirectFacts = UploadFacts & { readonly kind: 'put' | 'multipart'; readonly size: number };

/** S3: the largest object of one request. */
const MAX_PUT = 5 * 1024 ** 3;
const MIB = 1024 * 1024;
const PART_BYTES = 16 * MIB;
/** S3: no URL is good for longer. Seconds. */
const MAX_SECONDS = 7 * 86_400;

export interface PutInvitation {
  readonly url: string;
  /** To be sent with it, all of them, as they are. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface PartsInvitation {
  /** Of each part but the last. */
  readonly partBytes: number;
  readonly parts: number;
}

export interface DirectUpload {
  readonly upload: UploadRow;
  readonly put?: PutInvitation | undefined;
  readonly multipart?: PartsInvitation | undefined;
}

/** @throws as `openUpload` */
export async function openDirect(context: DirectContext, caller: Caller, facts: DirectFacts): Promise<DirectUpload> {
  if (facts.kind === 'put' && facts.size > MAX_PUT) {
    throw new ApiProblem('too-large', { detail: `More than ${MAX_PUT} bytes need an upload in parts.` });
  }
  const { upload } = await openUpload(context, caller, facts);
  const { store, db } = context;
  const { id, bucket, key, contentType, sha256 } = upload;
  if (facts.kind === 'multipart') {
    const { uploadId } = await store.parts.begin(bucket, key, {
      contentType: contentType ?? 'application/octet-stream',
    });
    await saveProgress(db, id, 0, { offset: 0, multipart: uploadId });
    return { upload, multipart: partsOf(facts.size) };
  }
  const headers = {
    // The signature covers them: no other bytes than these, of no other length, and only once.
    'content-length': String(facts.size),
    'if-none-match': '*',
    ...(contentType !== null && { 'content-type': contentType }),
    ...(sha256 !== null && { 'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64') }),
  };
  return { upload, put: { url: await store.parts.signPut(bucket, key, secondsLeft(upload), headers), headers } };
}

export function partsOf(size: number): PartsInvitation {
  const partBytes = Math.max(PART_BYTES, Math.ceil(size / MAX_PARTS / MIB) * MIB);
  return { partBytes, parts: Math.ceil(size / partBytes) };
}

const secondsLeft = ({ expiresAt }: UploadRow): number =>
  Math.max(1, Math.min(MAX_SECONDS, Math.floor((expiresAt.getTime() - Date.now()) / 1000)));

/**
 * The caller's own.
 *
 * @throws ApiProblem `upload-unknown`
 */
export async function findDirect({ db }: Pick<ApiContext, 'db'>, { tenant }: Caller, id: string): Promise<UploadRow> {
  const row = await findUpload(db, id);
  if (row?.tenant !== tenant || (row.kind !== 'put' && row.kind !== 'multipart'))
    throw new ApiProblem('upload-unknown');
  return row;
}

/**
 * @param numbers of parts, from 1
 * @throws ApiProblem `upload-unknown`, `upload-expired`, `conflict`, `invalid-request`
 */
export async function signParts(
  context: DirectContext,
  caller: Caller,
  id: string,
  numbers: readonly number[],
): Promise<{ number: number; url: string }[]> {
  mustAllow(caller, 'write');
  const row = await findDirect(context, caller, id);
  const target = partsTarget(row);
  const { parts } = partsOf(row.size!);
  const outside = numbers.find((number) => number < 1 || number > parts);
  if (outside !== undefined) throw new ApiProblem('invalid-request', { detail: `There are parts 1 to ${parts}.` });
  const seconds = secondsLeft(row);
  return Promise.all(
    numbers.map(async (number) => ({ number, url: await context.store.parts.signPart(target, number, seconds) })),
  );
}

/** What the store has of an upload in parts; nothing of others. */
export async function partsThere({ store }: DirectContext, row: UploadRow): Promise<Part[]> {
  if (row.kind !== 'multipart' || row.state !== 'open') return [];
  return store.parts.list(partsTarget(row));
}

/**
 * Its bytes are there: checks them and completes it. Safe to repeat.
 *
 * @returns the asset's id
 * @throws ApiProblem `upload-unknown`, `upload-expired`, `conflict` (something is not there yet), `checksum-mismatch`
 */
export async function completeDirect(context: DirectContext, caller: Caller, id: string): Promise<string> {
  mustAllow(caller, 'write');
  const { db, store, logger } = context;
  const row = await findDirect(context, caller, id);
  if (row.state === 'complete') return row.assetId!;
  mustBeOpen(row);
  if (row.kind === 'multipart') await joinParts(context, row);
  try {
    const checked = await checkObject(store, row.bucket, row.key, row);
    const settled = await settleUpload(db, id, checked);
    if (!checked.ok) {
      await store.remove(row.bucket, [row.key]);
      throw new ApiProblem('checksum-mismatch', { detail: checked.problem });
    }
    if (settled.outcome === 'closed') throw new ApiProblem('upload-expired');
    context.wake();
    logger.debug('upload received', { uploadId: id, assetId: settled.job.assetId });
    return settled.job.assetId;
  } catch (error) {
    if (!MediaError.is(error) || error.code !== 'OBJECT_MISSING') throw error;
    throw new ApiProblem('conflict', { detail: 'The file is not there yet.' });
  }
}

async function joinParts({ store }: DirectContext, row: UploadRow): Promise<void> {
  const target = partsTarget(row);
  const there = await store.parts.list(target).catch((error: unknown) => {
    // Joined before, by a request whose answer got lost.
    if (MediaError.is(error) && error.code === 'OBJECT_MISSING') return undefined;
    throw error;
  });
  if (!there) return;
  const { parts, partBytes } = partsOf(row.size!);
  for (let number = 1; number <= parts; number += 1) {
    const bytes = there[number - 1]?.number === number ? there[number - 1]!.bytes : undefined;
    const wanted = number < parts ? partBytes : row.size! - partBytes * (parts - 1);
    if (bytes === undefined)
      throw new ApiProblem('conflict', { detail: `Part ${number} of ${parts} is not there yet.` });
    if (bytes !== wanted) {
      throw new ApiProblem('conflict', {
        detail: `Part ${number} has ${bytes} bytes instead of ${wanted}: send it again.`,
      });
    }
  }
  await store.parts.finish(target, there);
}

/** @throws ApiProblem `upload-unknown`, `upload-expired`, `conflict` when it is complete */
export async function cancelDirect(context: DirectContext, caller: Caller, id: string): Promise<void> {
  mustAllow(caller, 'write');
  const row = await findDirect(context, caller, id);
  if (row.state === 'complete') throw new ApiProblem('conflict', { detail: 'It is complete: delete its asset.' });
  mustBeOpen(row);
  await closeUpload(context.db, id, 'cancelled');
  if (row.kind === 'multipart') await context.store.parts.abort(partsTarget(row));
  else await context.store.remove(row.bucket, [row.key]);
}

function mustBeOpen({ state }: UploadRow): void {
  if (state !== 'open') throw new ApiProblem('upload-expired', { detail: `This upload is ${state}.` });
}

function partsTarget(row: UploadRow): PartUpload {
  mustBeOpen(row);
  const { multipart } = row.progress as { multipart?: string };
  if (row.kind !== 'multipart' || multipart === undefined) {
    throw new ApiProblem('conflict', { detail: 'This upload has no parts.' });
  }
  return { bucket: row.bucket, key: row.key, uploadId: multipart };
}
