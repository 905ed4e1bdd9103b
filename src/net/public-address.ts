/** Which addresses are the public Internet's: nothing that a stranger names may reach anything else (SSRF). */
import { lookup as resolve, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

/** A host whose name or address is not to be spoken to. The message names the host, never the address. */
export class RefusedAddress extends Error {
  constructor(readonly host: string) {
    super(`${host} is not a public address`);
    this.name = 'RefusedAddress';
  }
}

/**
 * Public is what IANA has given to nobody special: not private, loopback, link-local, CGNAT, multicast, documentation
 * or benchmarking; nor an IPv6 address in which an IPv4 address is embedded (mapped, NAT64, 6to4, Teredo), for a
 * gateway may take it out again.
 */
export function isPublicAddress(address: string): boolean {
  // Zones (`fe80::1%eth0`) and the odd forms of inet_aton (`0x7f.1`, `2130706433`) are not addresses here.
  if (isIP(address) === 0 || address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  if (parsed.kind() === 'ipv4') return true;
  // What routers carry is 2000::/3 (RFC 4291, 2.4); IPv4-compatible ::/96 and site-local fec0::/10 are outside it.
  const [first = 0] = (parsed as ipaddr.IPv6).parts;
  return first >> 13 === 1;
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/**
 * For the option `lookup` of `http.request` and `net.connect`: resolves once, and the socket is connected to the very
 * address that was checked. A name with any address that is not public is refused whole. Node calls it for names only:
 * check literals with `refuseLiteral`.
 */
export function publicLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(new RefusedAddress(hostname), []);
    }
    if (options.all) return callback(null, addresses);
    callback(null, addresses[0]!.address, addresses[0]!.family);
  });
}

/** @throws RefusedAddress when the URL's host is an address and not a public one */
export function refuseLiteral({ hostname }: URL): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw new RefusedAddress(hostname);
}
