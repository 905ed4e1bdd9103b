import { Migrator, type Migration } from 'kysely';
import type { Config } from '../config/index.js';
import { connect, mapped } from './database.js';
import * as assets from './migrations/0001-assets.js';
import * as repairs from './migrations/0002-repairs.js';
import * as images from './migrations/0003-images.js';
import * as api from './migrations/0004-api.js';
import * as deadlines from './migrations/0005-deadlines.js';
import * as deliveries from './migrations/0006-deliveries.js';
import * as demands from './migrations/0007-demands.js';

/** In order of their names. Forward only: a released migration is never changed, a mistake is mended by the next one. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-assets': assets,
  '0002-repairs': repairs,
  '0003-images': images,
  '0004-api': api,
  '0005-deadlines': deadlines,
  '0006-deliveries': deliveries,
  '0007-demands': demands,
};

/**
 * Brings the database up to date, in one transaction. Any number of processes may do so at once:
 * Kysely's migrator holds a PostgreSQL advisory lock. @returns the names of what was applied
 */
export async function migrate(config: Config['catalogue']): Promise<string[]> {
  const db = connect(config);
  try {
    return await mapped(async () => {
      const provider = { getMigrations: async () => ({ ...MIGRATIONS }) };
      const { error, results } = await new Migrator({ db, provider }).migrateToLatest();
      if (error !== undefined) throw error as Error;
      return (results ?? []).map(({ migrationName }) => migrationName);
    });
  } finally {
    await db.destroy();
  }
}
