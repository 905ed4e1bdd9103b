/**
 * Health check of a container. A worker answers under `/metrics`; the Kafka starter (argument `kafka`) holds a
 * connection to a broker (a consumer that gave up ends its process: that is the restart policy's matter); the gRPC
 * server (argument `grpc`) has the health service of gRPC.
 */
import { readFile } from 'node:fs/promises';

process.exit((await healthy()) ? 0 : 1);

function healthy() {
  const [, , what] = process.argv;
  if (what === 'grpc') return serves(Number(process.env.GRPC_PORT ?? 8090), 'mediamill.v1.VideoService');
  return what === 'kafka' ? connectedToKafka() : answers(Number(process.env.METRICS_PORT ?? 9464));
}

async function serves(port, name) {
  const { Client, credentials } = await import('@grpc/grpc-js');
  const { service } = await import('grpc-health-check');
  const { path, requestSerialize, responseDeserialize } = service.Check;
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const deadline = Date.now() + 4000;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service: name }, { deadline }, (_, answer) =>
      resolve(answer?.status === 'SERVING'),
    );
  });
}

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
