/**
 * A service that has its pictures and films made by Mediamill: it puts a file into the store that both share,
 * starts the workflow and waits for what comes of it.
 *
 *     npm start -- <file>
 *
 * Prints one JSON object. Ends with 1, and the reason, when nothing came of the file.
 */
import { basename, extname } from 'node:path';

import { Client as StoreClient } from 'minio';
import {
  connectTemporal,
  MediaError,
  progress,
  result,
  startImage,
  startVideo,
  type Client,
  type StartedJob,
} from 'mediamill/client';

const {
  STORAGE_ENDPOINT = 'http://127.0.0.1:9000',
  STORAGE_ACCESS_KEY = 'minioadmin',
  STORAGE_SECRET_KEY = 'minioadmin',
  STORAGE_UPLOADS_BUCKET = 'uploads',
} = process.env;

const IMAGES = ['.avif', '.gif', '.heic', '.jpg', '.jpeg', '.png', '.webp'];

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Which file? npm start -- <file>');

// TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_TLS_*, TEMPORAL_API_KEY: Temporal's own environment configuration.
const { temporal, close } = await connectTemporal({ encryptionKeys: process.env['TEMPORAL_ENCRYPTION_KEYS'] });
try {
  const job = await submit(temporal, file);
  const stop = tell(temporal, job);
  const made = await result(temporal, job.workflowId).finally(stop);
  console.log(JSON.stringify(made));
} catch (error) {
  if (!(error instanceof MediaError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await close();
}

async function submit(temporal: Client, path: string): Promise<StartedJob> {
  const { hostname, port, protocol } = new URL(STORAGE_ENDPOINT);
  const store = new StoreClient({
    endPoint: hostname,
    ...(port !== '' && { port: Number(port) }),
    useSSL: protocol === 'https:',
    accessKey: STORAGE_ACCESS_KEY,
    secretKey: STORAGE_SECRET_KEY,
  });
  const key = `example/${basename(path)}`;
  const { etag, versionId } = await store.fPutObject(STORAGE_UPLOADS_BUCKET, key, path);
  // The store may tell Mediamill of the object, too: the same object is processed once, whoever starts it.
  const start = IMAGES.includes(extname(path).toLowerCase()) ? startImage : startVideo;
  return start(
    temporal,
    { bucket: STORAGE_UPLOADS_BUCKET, key, etag, versionId: versionId ?? undefined },
    { tenant: 'example', priority: 2, metadata: { from: 'the example service' } },
  );
}

/** A line on standard error whenever the percentage has changed. @returns ends it */
function tell(temporal: Client, { workflowId }: StartedJob): () => void {
  let last = -1;
  const look = async (): Promise<void> => {
    const { percent, stage } = await progress(temporal, workflowId);
    if (Math.floor(percent) > last) console.error(`${Math.floor(percent)} % ${stage}`);
    last = Math.max(last, Math.floor(percent));
  };
  // A question that can not be answered just now is asked again.
  const timer = setInterval(() => void look().catch(() => undefined), 1000);
  return () => clearInterval(timer);
}
