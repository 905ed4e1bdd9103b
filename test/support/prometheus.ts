/** A real Prometheus in a folder of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import getPort from 'get-port';

import { until } from './processes.js';

const RULES = resolve(import.meta.dirname, '../../deploy/prometheus');

export interface Prometheus {
  /** Of an instant query: one value for each series, as text (`NaN` among them). */
  query(expr: string): Promise<readonly { readonly metric: Record<string, string>; readonly value: string }[]>;
  /** Answer of `/api/v1/<path>`, its `data`. */
  api(path: string): Promise<unknown>;
  close(): Promise<void>;
}

export interface Target {
  readonly role: string;
  readonly port: number;
}

/**
 * Scrapes every second, by our own rules and alerts. Each target was scraped once before this returns: Prometheus
 * begins up to 5 s after it is ready, and what is counted before its first look is no rise that it could see.
 * @param dir for its data; the caller removes it
 */
export async function startPrometheus(dir: string, targets: readonly Target[]): Promise<Prometheus> {
  const home = await mkdtemp(join(dir, 'prometheus-'));
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [`${RULES}/rules.yml`, `${RULES}/alerts.yml`],
    scrape_configs: [
      {
        job_name: 'mediamill',
        static_configs: targets.map(({ role, port }) => ({ targets: [`127.0.0.1:${port}`], labels: { role } })),
      },
    ],
  };
  await writeFile(join(home, 'prometheus.yml'), JSON.stringify(config));
  const address = `127.0.0.1:${await getPort({ host: '127.0.0.1' })}`;
  const child = spawn(
    'prometheus',
    [
      ...['--config.file', join(home, 'prometheus.yml'), '--storage.tsdb.path', join(home, 'data')],
      ...['--web.listen-address', address],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const exited = new Promise<void>((done) => child.once('close', () => done()));
  const api = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://${address}/api/v1/${path}`);
    const body = (await response.json()) as { status: string; error?: string; data: unknown };
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`);
    return body.data;
  };
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  const isReady = (): Promise<boolean> =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  const query: Prometheus['query'] = async (expr) => {
    const { result } = (await api(`query?query=${encodeURIComponent(expr)}`)) as {
      result: { metric: Record<string, string>; value: [number, string] }[];
    };
    return result.map(({ metric, value }) => ({ metric, value: value[1] }));
  };
  const sawAll = async (): Promise<boolean> => (await query('up == 1')).length === targets.length;
  try {
    await until('Prometheus is ready', isReady, 30_000);
    await until('every target was scraped', sawAll, 30_000);
  } catch (error) {
    await close();
    throw new Error(said, { cause: error });
  }
  return { api, close, query };
}

/** What `promtool check metrics` has to say; empty: nothing. */
export function checkMetrics(page: string): string {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
  return status === 0 && !stdout && !stderr ? '' : `${stdout}${stderr}` || `exit code ${status}`;
}
