import { expect, it } from '@jest/globals';

import type { Logger } from '../../src/logging/logger.js';
import { durationClassOf } from '../../src/metrics/labels.js';
import { beforeScrape, metrics, serveMetrics } from '../../src/metrics/index.js';
import { withHelp } from '../../src/metrics/temporal.js';

const loopback = { metrics: { host: '127.0.0.1', port: 0 } };

/** Keeps what is said. */
function listener(): { logger: Logger; said: string[] } {
  const said: string[] = [];
  const say = (level: string) => (message: string) => void said.push(`${level}: ${message}`);
  const logger: Logger = {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    child: () => logger,
    flush: async () => undefined,
  };
  return { logger, said };
}

it('answers GET and HEAD of /metrics and nothing else', async () => {
  const page = await serveMetrics({ kind: 'codec', ...loopback }, listener().logger);
  const url = `http://127.0.0.1:${page.port}`;
  try {
    const answer = await fetch(`${url}/metrics?x=1`);
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const text = await answer.text();
    expect(text).toContain('# TYPE mediamill_http_request_duration_seconds histogram');
    expect(text).toContain('process_resident_memory_bytes ');
    // Of other processes.
    expect(text).not.toContain('mediamill_kafka_lag_records');
    const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${url}/`)).status).toBe(404);
  } finally {
    await page.close();
  }
});

it('says which port is taken instead of starting without a page', async () => {
  const { logger } = listener();
  const page = await serveMetrics({ kind: 'codec', ...loopback }, logger);
  try {
    const second = serveMetrics({ kind: 'codec', metrics: { host: '127.0.0.1', port: page.port } }, logger);
    await expect(second).rejects.toThrow(`${page.port}`);
  } finally {
    await page.close();
  }
});

it('leaves out what can not be looked up, counts that, says it once, and has it again later', async () => {
  const { logger, said } = listener();
  let rows = 7;
  const stop = beforeScrape('outbox', async () => {
    metrics.outboxRows.clear();
    if (rows < 0) throw new Error('the catalogue is away');
    metrics.outboxRows.set({ kind: 'webhook' }, rows);
  });
  const page = await serveMetrics({ kind: 'http', ...loopback }, logger);
  const read = async (): Promise<string> => (await fetch(`http://127.0.0.1:${page.port}/metrics`)).text();
  try {
    expect(await read()).toContain('mediamill_outbox_rows{kind="webhook"} 7');
    rows = -1;
    await read();
    const text = await read();
    expect(text).not.toMatch(/^mediamill_outbox_rows\{/m);
    expect(text).toMatch(/^mediamill_scrape_errors_total\{source="outbox"\} [12]$/m);
    expect(said.filter((line) => line.startsWith('warn'))).toHaveLength(1);
    rows = 0;
    expect(await read()).toContain('mediamill_outbox_rows{kind="webhook"} 0');
  } finally {
    stop();
    await page.close();
  }
});

it('shows no number of a gauge without labels that was cleared', async () => {
  const page = await serveMetrics({ kind: 'kafka', ...loopback }, listener().logger);
  const read = async (): Promise<string> => (await fetch(`http://127.0.0.1:${page.port}/metrics`)).text();
  try {
    metrics.lag.set({}, 3);
    expect(await read()).toMatch(/^mediamill_kafka_lag_records 3$/m);
    metrics.lag.clear();
    expect(await read()).not.toMatch(/^mediamill_kafka_lag_records /m);
  } finally {
    await page.close();
  }
});

it('tells what others say beside ours, and goes without when they say nothing', async () => {
  const { logger } = listener();
  let isThere = true;
  const beside = async (): Promise<string> => {
    if (!isThere) throw new Error('gone');
    return '# HELP temporal_x x.\n# TYPE temporal_x gauge\ntemporal_x 1\n';
  };
  const page = await serveMetrics({ kind: 'worker', ...loopback, beside }, logger);
  const read = async (): Promise<string> => (await fetch(`http://127.0.0.1:${page.port}/metrics`)).text();
  try {
    expect(await read()).toMatch(/^temporal_x 1$/m);
    isThere = false;
    const text = await read();
    expect(text).not.toContain('temporal_x');
    expect(text).toContain('mediamill_deadlines_total{result="met"} 0');
  } finally {
    await page.close();
  }
});

it('gives words to what has none', () => {
  const text = '# HELP temporal_request_total \n# TYPE temporal_request_total counter\ntemporal_request_total 3\n';
  expect(withHelp(text)).toBe(
    '# HELP temporal_request_total request total (Temporal SDK).\n# TYPE temporal_request_total counter\ntemporal_request_total 3\n',
  );
  const told = '# HELP a_b Said already\n# TYPE a_b gauge\na_b 1\n';
  expect(withHelp(told)).toBe(told);
});

it.each([
  [undefined, 'unknown'],
  [NaN, 'unknown'],
  [0, 'up-to-30s'],
  [30, 'up-to-30s'],
  [30.1, 'up-to-2m'],
  [600, 'up-to-10m'],
  [3600, 'up-to-1h'],
  [3601, 'over-1h'],
])('puts %s seconds of media into the class %s', (seconds, expected) => {
  expect(durationClassOf(seconds)).toBe(expected);
});
