/** What an uploader says of an upload, whatever way it comes. */
import type { Priority } from '../../contracts/assets.js';

export type UploadKind = 'post' | 'tus' | 'put' | 'multipart' | 'url' | 'grpc' | 'image';

/** Not checked yet: `openUpload` does that for all ways. */
export interface UploadFacts {
  readonly kind: UploadKind;
  /** Bytes, where they are announced. */
  readonly size?: number | undefined;
  /** 64 hexadecimal digits, where it is announced. */
  readonly sha256?: string | undefined;
  readonly contentType?: string | undefined;
  /** For people; never a path or a key. */
  readonly fileName?: string | undefined;
  readonly title?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Strings, at most 4 KB together. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly profile?: string | undefined;
  readonly priority?: Priority | undefined;
  /** ISO 8601. */
  readonly publishBy?: string | undefined;
}
