/** Buckets, made and opened. */
import type { Client } from 'minio';

import { publicReadPolicy, type PublicRead } from './public-read.js';
import type { Request } from './s3-transport.js';

export async function ensureBucket(
  client: Client,
  request: Request,
  bucket: string,
  region: string,
  publicRead: PublicRead | undefined,
): Promise<void> {
  await request(async () => {
    if (await client.bucketExists(bucket)) return;
    await client.makeBucket(bucket, region).catch((error: NodeJS.ErrnoException) => {
      // Another process made it in between.
      if (error.code !== 'BucketAlreadyOwnedByYou') throw error;
    });
  });
  if (publicRead) {
    const policy = publicReadPolicy(bucket, publicRead);
    await request(() => client.setBucketPolicy(bucket, policy));
  }
}
