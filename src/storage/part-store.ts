/** The part of the port that uploads in pieces use: S3's multipart uploads, and URLs by which others write. */

export interface WriteOptions {
  readonly contentType: string;
  readonly cacheControl?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An object that has just been written. */
export interface Written {
  /** Without quotes. */
  readonly etag: string;
  readonly versionId?: string | undefined;
}

/** A multipart upload: no object until it is finished. */
export interface PartUpload {
  readonly bucket: string;
  readonly key: string;
  /** The store's own name of it. */
  readonly uploadId: string;
}

export interface Part {
  /** 1 to 10,000. */
  readonly number: number;
  /** Without quotes. */
  readonly etag: string;
  readonly bytes: number;
}

/** S3: each part but the last has at least so many bytes. */
export const MIN_PART_BYTES = 5 * 1024 * 1024;
/** S3: and there are at most so many. */
export const MAX_PARTS = 10_000;

/** Errors as of `ObjectStore`. OBJECT_MISSING also where there is no such multipart upload. */
export interface PartStore {
  /** An object in one request. */
  put(bucket: string, key: string, bytes: Buffer, options: WriteOptions): Promise<Written>;
  begin(bucket: string, key: string, options: WriteOptions): Promise<PartUpload>;
  /** The same number again replaces the part. @returns its etag */
  send(upload: PartUpload, number: number, bytes: Buffer, signal?: AbortSignal): Promise<string>;
  /** In the order of their numbers. */
  list(upload: PartUpload): Promise<Part[]>;
  /** The object appears. Safe to repeat, while nobody else writes the key. */
  finish(upload: PartUpload, parts: readonly Pick<Part, 'number' | 'etag'>[]): Promise<Written>;
  /** Idempotent. */
  abort(upload: PartUpload): Promise<void>;
  /** Every unfinished upload of exactly this key. */
  abortAll(bucket: string, key: string): Promise<void>;
  /** SHA-256 of an object, 64 hexadecimal digits, where the store held its writer to it. */
  checksum(bucket: string, key: string): Promise<string | undefined>;
  /**
   * A URL under which anybody may PUT the object until it expires, with exactly these headers: the store refuses every
   * other length, type and checksum that is named in them.
   *
   * @param headers names in lower case
   */
  signPut(bucket: string, key: string, seconds: number, headers: Readonly<Record<string, string>>): Promise<string>;
  /** The same for one part. */
  signPart(upload: PartUpload, number: number, seconds: number): Promise<string>;
}
