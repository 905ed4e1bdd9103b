/** The beginning of every upload: who, what, how much; and the row that stands for it from then on. */
import { randomBytes } from 'node:crypto';

import { mapped } from '../../catalogue/database.js';
import { usageOf } from '../../catalogue/quotas.js';
import { insertUpload, type UploadRow } from '../../catalogue/uploads.js';
import { apiPrefixOf } from '../../contracts/uploads.js';
import { mustAllow, type Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problems.js';
import { roomFor } from '../quotas.js';
import { checkFacts, maxUploadBytes, type UploadFacts } from './facts.js';

export interface OpenUpload {
  readonly upload: UploadRow;
  /** Bytes that there may be at most: what was announced, else what limits and quotas leave. */
  readonly maxBytes: number;
}

/** 24 characters that are safe in URLs and keys, 144 random bits: nobody guesses another's. */
export const newUploadId = (): string => randomBytes(18).toString('base64url');

/** @throws ApiProblem `forbidden`, `invalid-request`, `too-large`, `quota-exceeded` */
export async function openUpload(
  { db, config }: Pick<ApiContext, 'db' | 'config'>,
  caller: Caller,
  said: UploadFacts,
  id = newUploadId(),
): Promise<OpenUpload> {
  mustAllow(caller, 'write');
  const checked = checkFacts(config, said);
  const { tenant, keyId } = caller;
  const { uploadsBucket, uploadsPrefix } = config.storage;
  const row = {
    ...checked,
    ...{ id, tenant, apiKey: keyId ?? null, kind: said.kind, bucket: uploadsBucket },
    key: `${apiPrefixOf(uploadsPrefix)}${tenant}/${id}`,
    hours: config.http.uploadHours,
  };
  const most = checked.size ?? maxUploadBytes(config);
  // Without keys there is nobody whose quota it could be.
  if (keyId === undefined) return { upload: await insertUpload(db, row), maxBytes: most };
  const limits = { openUploads: config.http.maxOpenUploads, ...caller.limits };
  const isImage = checked.contentType?.startsWith('image/') ?? false;
  // What is thrown within a transaction is an error of the database: a refusal is returned.
  const opened = await mapped(() =>
    db.transaction().execute(async (tx): Promise<OpenUpload | ApiProblem> => {
      const usage = await usageOf(tx, keyId);
      const room = roomFor(limits, usage, { size: said.size, isImage });
      if (ApiProblem.is(room)) return room;
      return { upload: await insertUpload(tx, row), maxBytes: Math.min(most, room ?? most) };
    }),
  );
  if (ApiProblem.is(opened)) throw opened;
  return opened;
}
