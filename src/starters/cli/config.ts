/** The configuration of commands: as everywhere, and the addresses of the local stack when one runs here. */
import { loadConfig } from '../../config/index.js';
import type { Config } from '../../config/schema.js';

export function cliConfig(): Config {
  return loadConfig();
}
