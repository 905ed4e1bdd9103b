import { expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { createServer as createTcp, type AddressInfo } from 'node:net';

import { fetchPublic } from '../../src/net/fetch-public.js';
import { isPublicAddress, publicLookup } from '../../src/net/public-address.js';

test.each([
  ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '100.127.255.254', '127.0.0.1', '127.8.8.8', '169.254.169.254'],
  ...['172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.1', '192.168.1.1', '198.18.0.1', '198.51.100.7'],
  ...['203.0.113.9', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255'],
  ...['::', '::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1', '::127.0.0.1', '64:ff9b::7f00:1'],
  ...['64:ff9b::808:808', '64:ff9b:1::1', '2002:7f00:1::1', '2002:808:808::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ...['2001:db8::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '100::1', '5f00::1'],
  ...['2130706433', '0x7f000001', '0177.0.0.1', '127.1', '', 'localhost', '1.2.3.4.5', '[::1]'],
])('%s is nobody’s public address', (address) => expect(isPublicAddress(address)).toBe(false));

test.each([
  '8.8.8.8',
  '1.1.1.1',
  '93.184.216.34',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700:4700::1111',
  '2a00:1450:4001:82a::200e',
])('%s is public', (address) => expect(isPublicAddress(address)).toBe(true));

test('a name that leads home is refused', async () => {
  const refused = await new Promise((resolve) => publicLookup('localhost', {}, (error) => resolve(error)));
  expect(refused).toMatchObject({ name: 'RefusedAddress', message: 'localhost is not a public address' });
});

test('nothing is connected for addresses that are not public, however they are written', async () => {
  let connections = 0;
  const server = createTcp((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const { port } = server.address() as AddressInfo;
  const ports = new Set([String(port)]);
  const hosts = [
    '127.0.0.1',
    'localhost',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '①②⑦.⓪.⓪.①',
  ];
  for (const host of hosts) {
    const options = { ports, signal: AbortSignal.timeout(5_000) };
    await expect(fetchPublic(`http://${host}:${port}/`, options)).rejects.toMatchObject({ name: 'FetchRefused' });
  }
  expect(connections).toBe(0);
  server.close();
});

test('redirects are judged anew, and only so many are followed; other schemes, ports and passwords are refused', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    const to: Record<string, string> = {
      '/file': 'file:///etc/passwd',
      '/inside': 'http://169.254.169.254/latest/meta-data/',
      '/loop': '/loop',
      '/good': '/bytes',
      '/nowhere': 'http://[',
    };
    if (request.url === '/bytes') return void response.end('bytes');
    if (request.url === '/gone') return void response.writeHead(404).end();
    if (request.url === '/zip') return void response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
    response.writeHead(302, { location: to[request.url!] }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  // Stands for a public server; what it redirects to is judged by the addresses that really are.
  const lookup = ((host: string, options: { all?: boolean }, done: (...args: unknown[]) => void) => {
    if (host !== 'example.org') return publicLookup(host, options, done);
    if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
    else done(null, '127.0.0.1', 4);
  }) as never;
  const get = (path: string, base = `http://example.org:${port}`) =>
    fetchPublic(base + path, { lookup, ports: new Set(['', String(port)]), signal: AbortSignal.timeout(5_000) });
  const response = await get('/good');
  expect(response.statusCode).toBe(200);
  response.destroy();
  for (const path of ['/file', '/inside', '/loop', '/nowhere', '/gone', '/zip']) {
    await expect(get(path)).rejects.toMatchObject({ name: 'FetchRefused' });
  }
  expect(asked.filter((path) => path === '/loop')).toHaveLength(6);
  for (const url of ['ftp://example.org/', 'http://a:b@example.org/', 'http://example.org:22/', 'nonsense']) {
    await expect(get('', url)).rejects.toMatchObject({ name: 'FetchRefused' });
  }
  server.closeAllConnections();
  server.close();
});
