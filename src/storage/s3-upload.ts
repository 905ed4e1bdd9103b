/** One file into one object: in one request while small, else in parts. */
import { open, type FileHandle } from 'node:fs/promises';
import type { Client } from 'minio';

const MIB = 1024 * 1024;
/** S3: at most 10,000 parts, each of at least 5 MiB but the last. One part is in memory at a time. */
const MAX_PARTS = 10_000;
const PART_BYTES = 16 * MIB;

export const partBytesOf = (fileBytes: number): number =>
  Math.max(PART_BYTES, Math.ceil(fileBytes / MAX_PARTS / MIB) * MIB);

export interface UploadContext {
  readonly client: Client;
  /** Runs one request, repeated once when the store gave way. */
  readonly request: <T>(use: () => Promise<T>) => Promise<T>;
  /** Runs one request that must happen although the upload has been cancelled. */
  readonly always: <T>(use: () => Promise<T>) => Promise<T>;
}

async function readFully(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) throw new Error('the file became shorter while it was uploaded');
    filled += bytesRead;
  }
  return buffer;
}

export async function uploadFile(
  { client, request, always }: UploadContext,
  bucket: string,
  key: string,
  path: string,
  headers: Record<string, string>,
): Promise<void> {
  const target = { bucketName: bucket, objectName: key };
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size <= PART_BYTES) {
      const body = await readFully(file, Buffer.alloc(size), 0);
      await request(() => client.makeRequestAsyncOmit({ method: 'PUT', ...target, headers: { ...headers } }, body));
      return;
    }
    // Always an upload of our own: the client's putObject would go on with the parts of another, perhaps running, attempt.
    const uploadID = await request(() => client.initiateNewMultipartUpload(bucket, key, { ...headers }));
    try {
      const partBytes = partBytesOf(size);
      const parts: { part: number; etag: string }[] = [];
      for (let position = 0; position < size; position += partBytes) {
        const body = await readFully(file, Buffer.allocUnsafe(Math.min(partBytes, size - position)), position);
        const partNumber = parts.length + 1;
        const { etag } = await request(() => client.uploadPart({ ...target, uploadID, partNumber, headers: {} }, body));
        parts.push({ part: partNumber, etag });
      }
      await request(() => client.completeMultipartUpload(bucket, key, uploadID, parts));
    } catch (error) {
      // When this fails too, the parts stay until removePrefix or the bucket's own expiry takes them; the first error is the one to report.
      await always(() => client.abortMultipartUpload(bucket, key, uploadID)).catch(() => undefined);
      throw error;
    }
  } finally {
    await file.close();
  }
}
