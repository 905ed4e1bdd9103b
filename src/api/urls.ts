/** Where others reach us. */
import type { Config } from '../config/schema.js';

const EVERYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };

/** Base of all URLs that we name; without a slash at its end. */
export function baseUrl({ http }: Pick<Config, 'http'>): string {
  const { publicUrl, host, port } = http;
  const reachable = EVERYWHERE[host] ?? (host.includes(':') ? `[${host}]` : host);
  return (publicUrl || `http://${reachable}:${port}`).replace(/\/+$/, '');
}
