import { expect, it } from '@jest/globals';

interface Packages {
  packages: Record<string, { version: string; optional?: boolean }>;
}
interface Bootstrap {
  checkNode(version: string): void;
  isInstalled(wanted: Packages, installed: Partial<Packages>): boolean;
}
// Plain JavaScript, which has no types: it must run before anything is installed.
const path: string = '../../scripts/bootstrap.mjs';
const { checkNode, isInstalled } = (await import(path)) as Bootstrap;

it.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('takes Node %s', (version) => {
  expect(() => checkNode(version)).not.toThrow();
});

it.each(['18.20.0', '20.18.9'])('refuses Node %s, and says which one it takes', (version) => {
  expect(() => checkNode(version)).toThrow('20.19 or later');
});

const lock: Packages = {
  packages: { '': { version: '1' }, a: { version: '1' }, b: { version: '2' }, mac: { version: '3', optional: true } },
};

it.each([
  ['all there', { a: '1', b: '2', mac: '3' }, true],
  ['without what is for other systems', { a: '1', b: '2' }, true],
  ['one missing', { a: '1' }, false],
  ['another version', { a: '1', b: '3' }, false],
])('knows whether packages are installed: %s', (_name, versions, expected) => {
  const packages = Object.fromEntries(Object.entries(versions).map(([name, version]) => [name, { version }]));
  expect(isInstalled(lock, { packages })).toBe(expected);
});

it('takes an empty folder for not installed', () => {
  expect(isInstalled(lock, {})).toBe(false);
});
