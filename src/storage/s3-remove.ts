/** Objects and unfinished uploads, away. */
import type { Client } from 'minio';

import { MediaError } from '../contracts/errors.js';
import type { Request } from './s3-transport.js';

/** S3: at most so many keys in one delete request. */
export const DELETE_AT_ONCE = 1000;

export async function removeObjects(
  client: Client,
  request: Request,
  bucket: string,
  keys: readonly string[],
): Promise<void> {
  // XML 1.0, the form of the bulk request, can't carry control characters.
  const odd = keys.filter((key) => /\p{Cc}/u.test(key));
  const plain = keys.filter((key) => !/\p{Cc}/u.test(key));
  for (const key of odd) await request(() => client.removeObject(bucket, key));
  for (let start = 0; start < plain.length; start += DELETE_AT_ONCE) {
    const batch = plain.slice(start, start + DELETE_AT_ONCE);
    const failures = await request(() => client.removeObjects(bucket, batch));
    if (failures.length > 0) {
      const cause = new Error(`${failures.length} objects were not removed: ${JSON.stringify(failures[0])}`);
      throw new MediaError('STORE_UNAVAILABLE', undefined, { cause });
    }
  }
}

/** MinIO lists unfinished uploads by whole bucket or exact key only, so the prefix is matched here. */
export async function abortUploads(client: Client, request: Request, bucket: string, prefix: string): Promise<void> {
  let marker = '';
  do {
    const page = await request(() => client.listIncompleteUploadsQuery(bucket, '', marker, '', ''));
    for (const { key, uploadId } of page.uploads) {
      if (!String(key).startsWith(prefix)) continue;
      await request(() => client.abortMultipartUpload(bucket, String(key), String(uploadId))).catch(
        (error: unknown) => {
          // Its own writer ended it in between.
          if (!MediaError.is(error) || error.code !== 'OBJECT_MISSING') throw error;
        },
      );
    }
    marker = page.isTruncated ? page.nextKeyMarker : '';
  } while (marker);
}
