import { createServer } from 'node:net';
import { DEFAULT_PORTS, type Ports } from './servers/types.js';

/**
 * Free ports are taken from below the range that the kernel gives to outgoing connections (Linux:
 * from 32768 on), so that none of those takes the port of a server that is down for a moment.
 */
const FIRST = 15_000;
const LAST = 32_000;

export function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The preferred port where it is free; else, and where none is preferred, another one. Never one twice. */
export async function choosePorts(preferred: Partial<Ports>, host: string): Promise<Ports> {
  const taken = new Set<number>();
  const choose = async (wanted: number | undefined): Promise<number> => {
    const random = () => FIRST + Math.floor(Math.random() * (LAST - FIRST));
    for (let port = wanted ?? random(); ; port = random()) {
      if (!taken.has(port) && (await isFree(port, host))) {
        taken.add(port);
        return port;
      }
    }
  };
  const ports: Record<string, number> = {};
  for (const name of Object.keys(DEFAULT_PORTS) as (keyof Ports)[]) ports[name] = await choose(preferred[name]);
  return ports as unknown as Ports;
}
