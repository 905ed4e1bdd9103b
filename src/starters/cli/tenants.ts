/** `tenants`: what is agreed with each of them: retention, limits. */
import { InvalidArgumentError, type Command } from 'commander';
import { Compile } from 'typebox/compile';

import { listTenants, setTenantSettings, tenantSettings } from '../../catalogue/tenants.js';
import { TenantSettingsSchema, type TenantSettings } from '../../contracts/tenants.js';
import { json, table } from './format.js';
import { tenantName, withDatabase } from './keys.js';

const settingsSchema = Compile(TenantSettingsSchema);

export function registerTenants(program: Command): void {
  const tenants = program.command('tenants').description('tenants and their settings');

  tenants
    .command('list')
    .description('by name; one is made with its first key, or by `tenants set`')
    .action(() =>
      withDatabase(async (db) => {
        const rows = await listTenants(db);
        const lines = rows.map(({ id, createdAt, settings }) => [id, createdAt.toISOString(), json(settings)]);
        console.log(rows.length === 0 ? 'no tenants' : table([['TENANT', 'CREATED', 'SETTINGS'], ...lines]));
      }),
    );

  tenants
    .command('show')
    .description('print the settings of one')
    .argument('<tenant>', 'its name', tenantName)
    .action((tenant: string) =>
      withDatabase(async (db) => console.log(JSON.stringify(await tenantSettings(db, tenant), undefined, 2))),
    );

  tenants
    .command('set')
    .description('replace the settings of one')
    .argument('<tenant>', 'its name', tenantName)
    .argument(
      '<settings>',
      'JSON, such as {"retention":{"rawDays":7},"profiles":{"archive":{"retention":{"rawDays":-1}}},"limits":{"bytesPerDay":1000000000}}',
      settingsOf,
    )
    .action((tenant: string, settings: TenantSettings) =>
      withDatabase(async (db) => {
        await setTenantSettings(db, tenant, settings);
        console.log(`set ${tenant}`);
      }),
    );
}

function settingsOf(text: string): TenantSettings {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('Expected JSON.');
  }
  if (settingsSchema.Check(value)) return value;
  const [first] = settingsSchema.Errors(value);
  throw new InvalidArgumentError(`${first?.instancePath || 'settings'}: ${first?.message ?? 'not valid'}.`);
}
