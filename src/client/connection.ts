/** Connects to Temporal: address and namespace from our configuration, TLS and API keys by Temporal's standard environment. */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

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

export async function connectTemporal({ address, namespace, encryptionKeys }: TemporalAddress): Promise<OpenClient> {
  const { connectionOptions } = loadClientConnectConfig();
  const connection = await Connection.connect({ ...connectionOptions, address });
  const temporal = new Client({ connection, namespace, dataConverter: dataConverterOf(encryptionKeys) });
  return { temporal, close: () => connection.close() };
}
