/**
 * Health check of a container. A worker answers on its own Prometheus endpoint; a starter, which has none, holds a
 * connection to a broker. (A consumer that gave up ends its process: that is the restart policy's matter.)
 */
import { readFile } from 'node:fs/promises';

const metricsPort = Number(process.env.WORKERS_METRICS_PORT ?? 0);
process.exit((metricsPort > 0 ? await answers(metricsPort) : await connectedToKafka()) ? 0 : 1);

async function answers(port) {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(4000) }).catch(
    () => null,
  );
  return answer?.ok ?? false;
}

/** Is there an established connection (state 01 of /proc/net/tcp) to the port of a broker? */
async function connectedToKafka() {
  const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9092').split(',');
  const ports = brokers.map((broker) =>
    Number(broker.trim().split(':').at(-1)).toString(16).padStart(4, '0').toUpperCase(),
  );
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  return tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .some(([, , remote, state]) => state === '01' && ports.some((port) => remote.endsWith(`:${port}`)));
}
