/** Connects to Temporal; TLS, client certificates and API keys by its standard environment configuration. */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

import { tracedStarts } from '../telemetry/index.js';
import { dataConverterOf } from './encryption.js';

export interface TemporalAddress {
  /** host:port */
  readonly address: string;
  readonly namespace: string;
  /** `temporal.encryptionKeys`; the same as the workers have. */
  readonly encryptionKeys?: string | undefined;
}

export interface OpenClient {
  readonly temporal: Client;
  readonly close: () => Promise<void>;
}

/**
 * @param own what it does not say is taken from Temporal's environment (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`) or its
 *   profile, like TLS, client certificates and API key
 */
export async function connectTemporal(own: Partial<TemporalAddress> = {}): Promise<OpenClient> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const address = own.address ?? connectionOptions.address;
  const connection = await Connection.connect({ ...connectionOptions, ...(address && { address }) });
  const temporal = new Client({
    connection,
    namespace: own.namespace ?? namespace,
    dataConverter: dataConverterOf(own.encryptionKeys),
    interceptors: { workflow: [tracedStarts] },
  });
  return { temporal, close: () => connection.close() };
}
