/** The port to the object store: no more than any S3 endpoint can do. Adapter: `s3-store.ts`. */
import type { PartStore, WriteOptions } from './part-store.js';

export type { WriteOptions };
import type { PublicRead } from './public-read.js';

export interface ObjectStat {
  readonly bytes: number;
  /** Without quotes. */
  readonly etag: string;
  readonly versionId?: string | undefined;
  readonly contentType?: string | undefined;
  readonly modifiedAt: Date;
  /** User metadata (`x-amz-meta-*`), names in lower case without the prefix. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** One version of an object, or a delete marker. Of a bucket without versions, the only one is called `null`. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  /** Without quotes; empty of a delete marker. */
  readonly etag: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
  readonly isDeleteMarker: boolean;
}

export interface ReadOptions {
  readonly versionId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DownloadOptions extends ReadOptions {
  /** The object must still have this etag; otherwise OBJECT_GONE. */
  readonly etag?: string | undefined;
  /** More than this many bytes: LIMIT_BYTES. */
  readonly maxBytes?: number | undefined;
  readonly onProgress?: (bytes: number, total: number) => void;
  /** Every byte in order, while it is written: for a checksum without a second reading. */
  readonly onBytes?: ((bytes: Uint8Array) => void) | undefined;
}

export interface SignedUrlOptions {
  /** Browsers keep it as a file of this name, and show nothing of it. */
  readonly downloadAs?: string | undefined;
}

export interface RangeOptions extends ReadOptions {
  /** The object must still have this etag; otherwise OBJECT_GONE. */
  readonly etag?: string | undefined;
}

/**
 * Errors: OBJECT_MISSING where an object or its bucket is not there, STORE_UNAVAILABLE for everything
 * that another try can mend, NO_SPACE when the local disk is full. `signal` rejects with its reason.
 */
export interface ObjectStore {
  readonly parts: PartStore;
  stat(bucket: string, key: string, options?: ReadOptions): Promise<ObjectStat>;
  /** Whole object into memory: for small ones (playlists, manifests). */
  read(bucket: string, key: string, options?: ReadOptions): Promise<Buffer>;
  /**
   * Part of an object; shorter where the object ends before, empty where it ends before the offset.
   * @param offset bytes from its start
   * @param length bytes, at least 1
   */
  readRange(bucket: string, key: string, offset: number, length: number, options?: RangeOptions): Promise<Buffer>;
  /** Streams an object into a file. Whole or not at all: a broken transfer leaves no file. */
  download(bucket: string, key: string, path: string, options?: DownloadOptions): Promise<ObjectStat>;
  putBytes(bucket: string, key: string, bytes: Uint8Array, options: WriteOptions): Promise<void>;
  /** The first writer wins (`If-None-Match: *`). @returns false, and changes nothing, when the object is already there */
  putIfAbsent(bucket: string, key: string, bytes: Uint8Array, options: WriteOptions): Promise<boolean>;
  putFile(bucket: string, key: string, path: string, options: WriteOptions): Promise<void>;
  list(
    bucket: string,
    prefix: string,
    options?: { signal?: AbortSignal },
  ): AsyncIterable<{ key: string; bytes: number; etag: string; modifiedAt: Date }>;
  remove(bucket: string, keys: readonly string[]): Promise<void>;
  /** Removes all objects below a prefix and aborts unfinished multipart uploads there. Returns how many objects. */
  removePrefix(bucket: string, prefix: string): Promise<number>;
  /** Older versions and delete markers too. Of one key, its versions come newest first. */
  listVersions(bucket: string, prefix: string, options?: { signal?: AbortSignal }): AsyncIterable<ObjectVersion>;
  /** For good, where `remove` would leave the bytes behind a delete marker. */
  removeVersions(bucket: string, versions: readonly Pick<ObjectVersion, 'key' | 'versionId'>[]): Promise<void>;
  /** Aborts unfinished multipart uploads of all keys that begin so; the prefix may be a whole key. */
  abortUploads(bucket: string, prefix: string): Promise<void>;
  /** @param options.publicRead what everybody may read; absent: as it is */
  ensureBucket(bucket: string, options?: { publicRead?: PublicRead }): Promise<void>;
  /** URL for a GET that anybody may make until it expires. Under `storage.publicUrl` where that is set. */
  signedUrl(bucket: string, key: string, seconds: number, options?: SignedUrlOptions): Promise<string>;
  /**
   * For many objects at once: signs without a wait. Same moment, same seconds, same URL.
   * @param at signed as if it were then, not in the future: the URLs are good for so long from there
   */
  signer(bucket: string, seconds: number, at: Date): Promise<(key: string) => string>;
  /** URL under which others read an object of the media bucket: `storage.publicUrl`, never signed. */
  publicUrl(bucket: string, key: string): string;
}
