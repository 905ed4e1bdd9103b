/** Uploads through the API, as all who meet them must agree on them. */
export const UPLOAD_KINDS = ['post', 'tus', 'put', 'multipart', 'url', 'grpc', 'image'] as const;
/** By which way it comes. Of `put`, the store's notification is what ends it. */
export type UploadKind = (typeof UPLOAD_KINDS)[number];

export type UploadState = 'open' | 'complete' | 'failed' | 'expired' | 'cancelled';

/**
 * Keys below this prefix belong to uploads that have a row: that row, and nothing that an event or the object itself
 * says, decides whose they are and what becomes of them.
 *
 * @param uploadsPrefix `storage.uploadsPrefix`
 */
export const apiPrefixOf = (uploadsPrefix: string): string => `${uploadsPrefix}api/`;

/** Where the tail of a resumable upload waits for the rest of its part, in the staging bucket. */
export const stagingPrefixOf = (uploadId: string): string => `tus/${uploadId}/`;
