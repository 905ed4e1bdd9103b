/** When a server is really ready, which is later than its port being open. */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contracts/names.js';

/** Tries until it works; gives up, with the last reason, when the signal says so. */
export async function poll<T>(attempt: () => Promise<T>, signal: AbortSignal, everyMs = 100): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted)
        throw new Error(`${(signal.reason as Error).message} (${(error as Error).message})`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}

/** The namespace answers and knows our search attributes. */
export async function temporalReady(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: 1000 });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = Object.values(SEARCH_ATTRIBUTES).filter((name) => !(name in customAttributes));
    if (missing.length > 0) throw new Error(`search attributes are not there yet: ${missing.join(', ')}`);
  } finally {
    await connection.close();
  }
}

/** Somebody listens. Only a first sign: asking a broker that is not there yet costs a client its long back-off. */
export function portOpen(address: string): Promise<void> {
  const url = new URL(`tcp://${address}`);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port), timeout: 1000 });
    socket.once('connect', () => resolve());
    socket.once('timeout', () => socket.destroy(new Error(`${address} does not answer`)));
    socket.once('error', reject);
    socket.once('connect', () => socket.destroy());
  });
}

export async function minioReady(endpoint: string): Promise<void> {
  const response = await fetch(new URL('/minio/health/ready', endpoint), { signal: AbortSignal.timeout(2000) });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`health check answered ${response.status}`);
}

/** Line 8 of `postmaster.pid` is the server's own word; `pg_ctl --wait` reads the same. */
export async function postgresReady(data: string, pid: number | undefined): Promise<void> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
  if (Number(lines[0]) !== pid || lines[7]?.trim() !== 'ready') throw new Error('it is still starting');
}
