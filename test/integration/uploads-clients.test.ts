/** Clients that we did not write put objects into the bucket as they are used to; each becomes an asset by the store's own notification. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Client as MinioClient } from 'minio';
import sharp from 'sharp';

import { createCatalogue } from '../../src/catalogue/postgres.js';
import type { AssetRow, Catalogue } from '../../src/catalogue/catalogue.js';
import type { Config } from '../../src/config/schema.js';
import { assetIdOf } from '../../src/contracts/ids.js';
import { merge } from '../../src/local/addresses.js';
import { createObjectStore } from '../../src/storage/index.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { until } from '../support/processes.js';
import { useStack } from '../support/stack.js';
import { startProcess, type OwnProcess } from '../support/worker.js';

jest.setTimeout(180_000);

/** The least that S3 takes as a part that is not the last. Bytes. */
const PART = 5 * 1024 ** 2;

const PREFIX = 'clients/';

const stack = useStack();
let dir: string;
let config: Config;
let store: ObjectStore;
let catalogue: Catalogue;
let processes: OwnProcess[] = [];
let sdk: S3Client;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mediamill-clients-'));
  // The one bucket of the shared stack that Kafka hears of; its other objects are other tests'.
  const { storage, kafka } = stack.config;
  config = merge(await stack.isolated({ database: true }), {
    scratch: { dir: join(dir, 'scratch') },
    storage: { uploadsBucket: storage.uploadsBucket, uploadsPrefix: PREFIX },
    kafka: { uploadsTopic: kafka.uploadsTopic },
  });
  processes = await Promise.all([
    startProcess('workers/all.js', config, 'worker ready'),
    startProcess('starters/kafka/main.js', config, 'starter ready'),
  ]);
  store = createObjectStore(config.storage);
  catalogue = createCatalogue(config.catalogue);
  const { endpoint, region, accessKey, secretKey } = config.storage;
  sdk = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    // Else a presigned URL holds its sender to the checksum of an empty body.
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
}, 180_000);

afterAll(async () => {
  sdk?.destroy();
  for (const one of processes) one.kill('SIGTERM');
  expect(await Promise.all(processes.map(({ exited }) => exited))).toEqual(processes.map(() => 0));
  await catalogue?.close();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

/** A picture of more than one part: noise does not get smaller. */
const large = (): Promise<Buffer> => {
  const [width, height] = [1600, 1300];
  return sharp(randomBytes(width * height * 3), { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toBuffer();
};

/** What became of the object. */
async function ended(key: string): Promise<AssetRow> {
  const bucket = config.storage.uploadsBucket;
  const { etag, versionId } = await store.stat(bucket, key);
  const id = assetIdOf({ bucket, key, etag, versionId });
  let row: AssetRow | undefined;
  await until(
    `${key} has ended`,
    async () => {
      row = await catalogue.find(id);
      return row !== undefined && ['ready', 'partial', 'failed'].includes(row.state);
    },
    150_000,
  );
  return row!;
}

/** Cut at part boundaries. */
const partsOf = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));

test('the minio client sends a file, which it cuts into parts by itself', async () => {
  const { hostname, port } = new URL(config.storage.endpoint);
  const { region, accessKey, secretKey, uploadsBucket } = config.storage;
  const minio = new MinioClient({
    ...{ endPoint: hostname, port: Number(port), useSSL: false, region, accessKey, secretKey },
    partSize: PART,
  });
  const bytes = await large();
  const file = join(dir, 'large.png');
  await writeFile(file, bytes);
  await minio.fPutObject(uploadsBucket, `${PREFIX}large.png`, file, { 'content-type': 'image/png' });
  const row = await ended(`${PREFIX}large.png`);
  expect(row).toMatchObject({ state: 'ready', kind: 'image', bytes: bytes.length });
});

test('the AWS SDK sends an object with hints, and one in parts by URLs that it signed', async () => {
  const Bucket = config.storage.uploadsBucket;
  const bytes = await large();
  await sdk.send(
    new PutObjectCommand({
      ...{ Bucket, Key: `${PREFIX}one.png`, Body: bytes, ContentType: 'image/png' },
      Metadata: { 'mediamill-tenant': 'sdk', 'mediamill-priority': '2' },
    }),
  );
  expect(await ended(`${PREFIX}one.png`)).toMatchObject({ state: 'ready', tenant: 'sdk', priority: 2 });

  const other = await large();
  const Key = `${PREFIX}in parts ü.png`;
  const { UploadId } = await sdk.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'image/png' }));
  const sent = partsOf(other, PART).map(async (body, i) => {
    const PartNumber = i + 1;
    const url = await getSignedUrl(sdk, new UploadPartCommand({ Bucket, Key, UploadId, PartNumber }));
    const response = await fetch(url, { method: 'PUT', body: body as never });
    expect(response.status).toBe(200);
    return { PartNumber, ETag: response.headers.get('etag')! };
  });
  const Parts = await Promise.all(sent);
  expect(Parts.length).toBeGreaterThan(1);
  await sdk.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  expect(await ended(Key)).toMatchObject({ state: 'ready', kind: 'image', bytes: other.length });
});
