/** The Temporal server of the shared test stack. */
export async function sharedTemporal(): Promise<{ address: string; namespace: string }> {
  return { address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233', namespace: 'default' };
}
