/** What commands work with, opened when first used and closed at the end of the command. */
import type { Client } from '@temporalio/client';

import type { Catalogue } from '../../catalogue/catalogue.js';
import { createCatalogue } from '../../catalogue/postgres.js';
import { connectTemporal } from '../../client/connection.js';
import type { Config } from '../../config/schema.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { createObjectStore } from '../../storage/index.js';

/** What can be read while Temporal is away. */
export interface Records {
  readonly config: Config;
  readonly store: ObjectStore;
  readonly catalogue: Catalogue;
}

export interface Session extends Records {
  readonly temporal: Client;
}

export async function withRecords<T>(config: Config, use: (records: Records) => Promise<T>): Promise<T> {
  const catalogue = createCatalogue(config.catalogue);
  try {
    return await use({ config, catalogue, store: createObjectStore(config.storage) });
  } finally {
    await catalogue.close();
  }
}

export async function withSession<T>(config: Config, use: (session: Session) => Promise<T>): Promise<T> {
  const { temporal, close } = await connectTemporal(config.temporal);
  try {
    return await withRecords(config, (records) => use({ ...records, temporal }));
  } finally {
    await close();
  }
}
