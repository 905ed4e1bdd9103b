/** For processes that outlive an outage of Temporal. */
import { hostname } from 'node:os';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { tracedStarts } from '../telemetry/index.js';
import type { TemporalAddress } from './connection.js';
import { dataConverterOf } from './encryption.js';

/** gRPC waits up to two minutes between attempts to reconnect: too long for a server that is back. Milliseconds. */
const MAX_RECONNECT_WAIT = 2_000;

/**
 * Connects when first needed: with Temporal away the process waits, it does not die.
 *
 * @param role for people who look at what it did: `starter:kafka`
 */
export function openTemporal({ address, namespace, encryptionKeys }: TemporalAddress, role: string): Client {
  const { connectionOptions } = loadClientConnectConfig();
  const connection = Connection.lazy({
    ...connectionOptions,
    address,
    channelArgs: { 'grpc.max_reconnect_backoff_ms': MAX_RECONNECT_WAIT },
  });
  return new Client({
    connection,
    namespace,
    identity: `${role}@${hostname()}:${process.pid}`,
    dataConverter: dataConverterOf(encryptionKeys),
    interceptors: { workflow: [tracedStarts] },
  });
}
