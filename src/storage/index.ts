export { S3Store } from './s3-store.js';
export type * from './object-store.js';
export { asNoSpace } from './s3-errors.js';

import type { Config } from '../config/index.js';
import type { ObjectStore } from './object-store.js';
import { S3Store } from './s3-store.js';

export function createObjectStore(config: Config['storage']): ObjectStore {
  return new S3Store(config);
}
