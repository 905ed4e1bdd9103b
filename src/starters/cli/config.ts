/** The configuration of commands: as everywhere, and the addresses of the local stack when one runs here. */
import { loadConfig, type Config } from '../../config/index.js';
import { givenServers, merge, SERVER_GROUPS } from '../../local/addresses.js';
import { runningState, stateDirOf } from '../../local/state.js';

export function cliConfig(): Config {
  const config = loadConfig();
  const state = runningState(stateDirOf(config));
  // An address that this command was given itself goes before the stack's.
  const given = givenServers(config).map((name) => SERVER_GROUPS[name]);
  const addresses = Object.entries(state?.addresses ?? {}).filter(([group]) => !given.some((one) => one === group));
  return merge(config, Object.fromEntries(addresses));
}
