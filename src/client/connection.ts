/** Connects to Temporal: address and namespace from our configuration, TLS and API keys by Temporal's standard environment. */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

export interface TemporalAddress {
  /** host:port */
  readonly address: string;
  readonly namespace: string;
}

export interface OpenClient {
  readonly temporal: Client;
  readonly close: () => Promise<void>;
}

export async function connectTemporal({ address, namespace }: TemporalAddress): Promise<OpenClient> {
  const { connectionOptions } = loadClientConnectConfig();
  const connection = await Connection.connect({ ...connectionOptions, address });
  return { temporal: new Client({ connection, namespace }), close: () => connection.close() };
}
