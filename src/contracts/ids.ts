/** Names derived from an object. The same object always gives the same names. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** What identifies one upload for ever: an object and the version of its bytes. */
export interface ObjectIdentity {
  readonly bucket: string;
  readonly key: string;
  /** The store's version id where the bucket keeps versions. */
  readonly versionId?: string | undefined;
  /** Without quotes. Stands in for the version id where there is none. */
  readonly etag?: string | undefined;
}

const hex = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));

/** The version id, or where there is none the etag. */
export function versionOf(object: ObjectIdentity): string {
  // MinIO and S3 send the version id "null" for objects of a bucket without versions.
  const versionId = object.versionId === 'null' ? undefined : object.versionId;
  const version = versionId || object.etag?.replaceAll('"', '');
  if (!version) throw new TypeError('an object identity needs a version id or an etag');
  return version;
}

/** `media/<bucket>/<first 16 hex of sha256(key)>/<version id or etag>` */
export function workflowIdOf(object: ObjectIdentity): string {
  return `media/${object.bucket}/${hex(object.key).slice(0, 16)}/${versionOf(object)}`;
}

/** Of a later generation of the same upload: work of its own. @param workflowId of any generation */
export function generationIdOf(workflowId: string, generation: number): string {
  const first = workflowId.replace(/\/g\d+$/, '');
  return generation === 1 ? first : `${first}/g${generation}`;
}

/** One repair of an asset at a time. */
export const repairIdOf = (workflowId: string): string => `${workflowId}/repair`;

export const webhookIdOf = (deliveryId: string): string => `webhook/${deliveryId}`;

/** 24 hex digits. Opaque, safe in object keys, file names and URLs; nothing of the upload's name is in it. */
export function assetIdOf(object: ObjectIdentity): string {
  return hex(`${object.bucket}\n${object.key}\n${versionOf(object)}`).slice(0, 24);
}
