/** `keys`: who may come in over HTTP and gRPC. */
import { InvalidArgumentError, Option, type Command } from 'commander';

import { SCOPES, type KeyLimits, type Scope } from '../../api/caller.js';
import { createKey } from '../../api/keys.js';
import { connect, type Database } from '../../catalogue/database.js';
import { listKeys, revokeKey, type KeyRow } from '../../catalogue/keys.js';
import { TENANT_PATTERN } from '../../contracts/tenants.js';
import { cliConfig } from './config.js';
import { json, table } from './format.js';

const DAY_MS = 86_400_000;

interface CreateOptions extends KeyLimits {
  readonly tenant?: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresDays?: number;
}

export function registerKeys(program: Command): void {
  const keys = program.command('keys').description('API keys of tenants (http.auth keys)');

  keys
    .command('create')
    .description('make a key and print it: once, it is not kept')
    .option('--tenant <name>', 'whose; default: starter.tenant', tenantName)
    .option('--name <text>', 'what it is for', '')
    .addOption(
      new Option('--scopes <list>', `comma-separated: ${SCOPES.join(', ')}`)
        .argParser(scopesOf)
        .default(['read', 'write'], 'read,write'),
    )
    .option('--expires-days <n>', 'good for so many days', whole)
    .option('--requests-per-minute <n>', 'its own limit; 0: none', whole)
    .option('--open-uploads <n>', 'uploads under way at once; 0: no limit', whole)
    .option('--bytes-per-day <n>', 'uploaded in 24 hours; 0: no limit', whole)
    .option('--minutes-per-day <n>', 'of video and audio, uploaded in 24 hours; 0: no limit', whole)
    .action((options: CreateOptions) => {
      const config = cliConfig();
      const { tenant = config.starter.tenant, name, scopes, expiresDays } = options;
      const { requestsPerMinute, openUploads, bytesPerDay, minutesPerDay } = options;
      const limits = { requestsPerMinute, openUploads, bytesPerDay, minutesPerDay };
      const expiresAt = expiresDays === undefined ? undefined : new Date(Date.now() + expiresDays * DAY_MS);
      return withDatabase(async (db) => {
        const { id, key } = await createKey(db, { tenant, name, scopes, limits, expiresAt });
        console.error(`Key ${id} of tenant ${tenant} (${scopes.join(', ')}). It is shown this once:`);
        console.log(key);
      });
    });

  keys
    .command('list')
    .description('what there is, newest first; revoked ones too')
    .option('--tenant <name>', 'of one tenant only', tenantName)
    .option('--json', 'print one JSON object per key')
    .action((options: { tenant?: string; json?: boolean }) =>
      withDatabase(async (db) => {
        const rows = await listKeys(db, options.tenant);
        if (options.json) return rows.forEach((row) => console.log(json(row)));
        console.log(rows.length === 0 ? 'no keys' : listing(rows));
      }),
    );

  keys
    .command('revoke')
    .description('refuse a key from now on; servers notice within seconds')
    .argument('<id...>', 'as `keys list` prints it')
    .action((ids: string[]) =>
      withDatabase(async (db) => {
        for (const id of ids) {
          if (!(await revokeKey(db, id))) throw new Error(`There is no key ${id}.`);
          console.log(`revoked ${id}`);
        }
      }),
    );
}

export async function withDatabase<T>(use: (db: Database) => Promise<T>): Promise<T> {
  const db = connect(cliConfig().catalogue);
  try {
    return await use(db);
  } finally {
    await db.destroy();
  }
}

export function tenantName(value: string): string {
  if (!new RegExp(TENANT_PATTERN).test(value))
    throw new InvalidArgumentError('A tenant is 1 to 63 letters, digits, dots, dashes and underscores.');
  return value;
}

function scopesOf(value: string): Scope[] {
  const scopes = value.split(',').map((scope) => scope.trim());
  if (!scopes.every(isScope)) throw new InvalidArgumentError(`Scopes are ${SCOPES.join(', ')}.`);
  return scopes;
}

const isScope = (value: string): value is Scope => SCOPES.some((scope) => scope === value);

function whole(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) throw new InvalidArgumentError('Expected a whole number.');
  return number;
}

function listing(rows: readonly KeyRow[]): string {
  const now = new Date();
  const stateOf = ({ revokedAt, expiresAt }: KeyRow): string =>
    revokedAt ? 'revoked' : expiresAt && expiresAt <= now ? 'expired' : 'good';
  const lines = rows.map((row) => [
    ...[row.id, row.tenant, row.scopes.join(','), stateOf(row), row.createdAt.toISOString()],
    ...[row.lastUsedAt?.toISOString() ?? 'never', row.name],
  ]);
  return table([['ID', 'TENANT', 'SCOPES', 'STATE', 'CREATED', 'LAST USED', 'NAME'], ...lines]);
}
