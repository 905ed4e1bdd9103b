/** Kafka's folder: its configuration file, and log folders that know their cluster. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kafkaFormat, kafkaProperties } from './servers/kafka.js';
import type { Ports } from './servers/types.js';

const run = promisify(execFile);

/** @returns the path of `server.properties`, which is written anew each time because ports may move. */
export async function prepareKafka(
  libs: string,
  dir: string,
  ports: Ports,
  bindHost: string,
  partitions: number,
): Promise<string> {
  await mkdir(dir, { recursive: true });
  const properties = join(dir, 'server.properties');
  await writeFile(properties, kafkaProperties(dir, ports, bindHost, partitions));
  if (!(await stat(join(dir, 'log', 'meta.properties')).catch(() => undefined))) {
    const { command, args } = kafkaFormat(libs, properties, randomBytes(16).toString('base64url'));
    await run(command, [...args]);
  }
  return properties;
}
