export type * from './object-store.js';
export type * from './part-store.js';
export { checkObject, type Announced, type Checked } from './check-object.js';
export { asNoSpace } from './s3-errors.js';
export { createObjectStore } from './s3-store.js';
export { createScratch, type Scratch } from './scratch.js';
export type { SourceFile, SourceOptions } from './source-cache.js';
export { inParts, putStream, streamPartBytes, type StreamOptions } from './stream-upload.js';
