/** Puts files into the uploads bucket, like any S3 client would; the bucket's notification does the rest. */
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';

import { hintsOfMetadata } from '../../contracts/object-hints.js';
import { assetIdOf, workflowIdOf } from '../../contracts/ids.js';
import type { Session } from './session.js';

export interface Upload {
  readonly file: string;
  readonly name: string;
  readonly bucket: string;
  readonly key: string;
  readonly assetId: string;
  readonly workflowId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface UploadOptions {
  readonly profile?: string | undefined;
  readonly priority?: string | undefined;
  readonly tenant?: string | undefined;
  readonly publishBy?: string | undefined;
  readonly publicationTimeout?: string | undefined;
  readonly publishNotBefore?: string | undefined;
}

export async function upload({ config, store }: Session, file: string, options: UploadOptions): Promise<Upload> {
  const bucket = config.storage.uploadsBucket;
  const name = basename(file);
  // A folder of its own: two uploads of the same name never meet.
  const key = `${config.storage.uploadsPrefix}${new Date().toISOString().slice(0, 10)}/${randomUUID()}/${name}`;
  const wishes = Object.entries({
    'mediamill-profile': options.profile,
    'mediamill-priority': options.priority,
    'mediamill-tenant': options.tenant,
    'mediamill-publish-by': options.publishBy,
    'mediamill-publication-timeout': options.publicationTimeout,
    'mediamill-publish-not-before': options.publishNotBefore,
  }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const checked = hintsOfMetadata(Object.fromEntries(wishes));
  if (!checked.ok) throw new Error(`This can not be asked for: ${checked.detail}.`);
  const at = Date.now();
  await store.putFile(bucket, key, file, {
    contentType: 'application/octet-stream',
    metadata: Object.fromEntries(wishes),
  });
  const { etag, versionId } = await store.stat(bucket, key);
  const object = { bucket, key, etag, versionId };
  return { file, name, bucket, key, assetId: assetIdOf(object), workflowId: workflowIdOf(object), at };
}
