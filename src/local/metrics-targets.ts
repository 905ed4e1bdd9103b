/** Where the metrics of our processes are, as a file for Prometheus (`file_sd_configs`), which reads it whenever it changes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { ServicePlan } from './services.js';
import { reachable } from './servers/types.js';
import type { Stack } from './stack.js';

export const targetsFile = (dir: string): string => join(dir, 'metrics-targets.json');

export async function writeTargets(
  dir: string,
  plans: readonly ServicePlan[],
  { config, ports }: Pick<Stack, 'config' | 'ports'>,
): Promise<void> {
  const host = reachable(config.metrics.host);
  const targets = plans.map(({ name, metricsPort }) => ({
    targets: [`${host}:${ports[metricsPort]}`],
    labels: { role: name },
  }));
  await writeFile(targetsFile(dir), `${JSON.stringify(targets, null, 2)}\n`);
}
