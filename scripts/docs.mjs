/** Writes the configuration table into README.md, between its markers. Reads the build: `npm run build` first. */
import { readFile, writeFile } from 'node:fs/promises';
import { configTable } from '../dist/config/index.js';

const readme = new URL('../README.md', import.meta.url);
const text = await readFile(readme, 'utf8');
const between = /(?<=<!-- config:start -->\n)[^]*(?=<!-- config:end -->)/;
if (!between.test(text)) throw new Error('README.md has no markers for the configuration table');
await writeFile(
  readme,
  text.replace(between, () => `\n${configTable()}\n`),
);
