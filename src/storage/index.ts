export type * from './object-store.js';
export { asNoSpace } from './s3-errors.js';
export { createObjectStore } from './s3-store.js';
export { createScratch, type Scratch } from './scratch.js';
export type { SourceFile, SourceOptions } from './source-cache.js';
