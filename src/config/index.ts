/** Configuration: `schema.ts` says what there is, everything else is derived from it. */
export { ConfigError } from './config-error.js';
export { configEnv, configExample, configTable, redactedConfig } from './describe.js';
export { loadConfig, type ConfigOverrides, type LoadOptions } from './load.js';
export type { Config } from './schema.js';
export { loadProfiles, type Profiles } from './profiles.js';
export { profileFieldsTable, profileJsonSchema, shippedProfilesTable } from './describe-profiles.js';
