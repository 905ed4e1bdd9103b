/** The fences catch what they are there for: each case is a small project with one deliberate violation. */
import { jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

// Linters are started: a busy machine takes its time to load them.
jest.setTimeout(60_000);

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

let project: string;

async function write(files: Record<string, string>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, file)), { recursive: true });
    await writeFile(join(project, file), text);
  }
}

/** The report of a checker; how it ends the process depends on the report's form and is not looked at. */
const check = (tool: string, args: string[]): Promise<string> =>
  run(bin(tool), args, { cwd: project }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'mediamill-fences-'));
  for (const file of ['.dependency-cruiser.cjs', 'eslint.config.mjs', 'tsconfig.json', 'package.json']) {
    await cp(join(root, file), join(project, file));
  }
  await symlink(join(root, 'node_modules'), join(project, 'node_modules'));
});

afterEach(() => rm(project, { recursive: true, force: true }));

const importing = (what: string) => `import * as it from '${what}';\nexport const keys = Object.keys(it);\n`;
const leaf = 'export const one = 1;\n';

describe('npm run boundaries', () => {
  // One run over all cases: starting the tool is what costs. Each names the file and the rule that it breaks.
  const cases: [file: string, rule: string, text: string][] = [
    ['src/contracts/outside.ts', 'room-contracts', importing('../config/leaf.js')],
    ['src/media/outside.ts', 'room-media', importing('../tools/leaf.js')],
    ['src/storage/outside.ts', 'room-storage', importing('../catalogue/leaf.js')],
    ['src/activities/outside.ts', 'room-activities', importing('../workers/leaf.js')],
    ['src/workflows/outside.ts', 'room-workflows', importing('../media/leaf.js')],
    ['src/workflows/values.ts', 'activities-as-types-only', importing('../activities/leaf.js')],
    ['src/starters/kafka/outside.ts', 'room-starters-kafka', importing('../../local/leaf.js')],
    ['src/newroom/a.ts', 'every-room-is-drawn', importing('../contracts/leaf.js')],
    ['src/media/node.ts', 'nothing-of-node', importing('node:fs')],
    ['src/workflows/library.ts', 'workflow-libraries', importing('p-limit')],
    ['src/messaging/other.ts', 'only-kafkajs', importing('kafkajs')],
    ['src/local/s3.ts', 'only-minio', importing('minio')],
    ['src/tools/builder.ts', 'only-fluent-ffmpeg', importing('fluent-ffmpeg')],
    ['src/tools/ffmpeg/picture.ts', 'only-sharp', importing('sharp')],
    ['src/local/sql.ts', 'only-pg', importing('pg')],
    ['src/activities/sql.ts', 'only-kysely', importing('kysely')],
    ['src/starters/http/rpc.ts', 'only--grpc-grpc-js', importing('@grpc/grpc-js')],
    ['src/media/about.ts', 'no-cycles', importing('./round.js')],
    ['src/media/alone.ts', 'no-orphans', leaf],
    ['src/config/dev.ts', 'declared-dependencies', importing('fast-check')],
    ['src/config/nowhere.ts', 'resolvable', importing('./nothing.js')],
  ];
  const rooms = ['contracts', 'config', 'media', 'tools', 'catalogue', 'activities', 'workers', 'local'];

  it('finds each violation, and nothing where the picture allows it', async () => {
    await write(Object.fromEntries(rooms.map((room) => [`src/${room}/leaf.ts`, leaf])));
    await write(Object.fromEntries(cases.map(([file, , text]) => [file, text])));
    await write({
      'src/media/round.ts': importing('./about.js'),
      'src/activities/types.ts': 'export interface Step {\n  run(): void;\n}\n',
      'src/workflows/story.ts':
        "import type { Step } from '../activities/types.js';\nimport { one } from '../contracts/leaf.js';\n" +
        "import { sleep } from '@temporalio/workflow';\nexport const story = (step: Step) => [sleep, one, step];\n",
      'src/messaging/kafka.ts': importing('kafkajs'),
    });
    const output = await check('depcruise', ['src', '--output-type', 'json']);
    const { summary } = JSON.parse(output) as { summary: { violations: { from: string; rule: { name: string } }[] } };
    const found = (file: string) => summary.violations.filter(({ from }) => from === file).map(({ rule }) => rule.name);

    for (const [file, rule] of cases) expect([file, found(file)]).toEqual([file, expect.arrayContaining([rule])]);
    expect(found('src/workflows/story.ts')).toEqual([]);
    expect(found('src/messaging/kafka.ts')).toEqual([]);
  });
});

describe('npm run lint', () => {
  // One run over all cases: starting the type checker is what costs.
  const cases: [file: string, rule: string, text: string][] = [
    ['src/tools/floating.ts', 'no-floating-promises', 'export function f(): void {\n  Promise.resolve(1);\n}\n'],
    ['src/tools/misused.ts', 'no-misused-promises', 'export const f = (p: Promise<boolean>) => (p ? 1 : 2);\n'],
    [
      'src/tools/switch.ts',
      'switch-exhaustiveness-check',
      "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 0;\n}\n",
    ],
    ['src/tools/console.ts', 'no-console', "console.log('x');\n"],
    ['src/workflows/node.ts', 'no-restricted-imports', importing('node:fs')],
    ['src/workflows/library.ts', 'no-restricted-imports', importing('p-limit')],
    ['src/workflows/values.ts', 'no-restricted-imports', importing('../activities/a.js')],
    ['src/workflows/global.ts', 'no-restricted-globals', 'export const home = process.env;\n'],
    ['src/contracts/node.ts', 'no-restricted-imports', importing('fs/promises')],
    ['src/contracts/outside.ts', 'no-restricted-imports', importing('../config/a.js')],
  ];

  it('finds each violation, and nothing where there is none', async () => {
    await write(Object.fromEntries(cases.map(([file, , text]) => [file, text])));
    await write({
      'src/activities/a.ts': 'export interface Step {\n  run(): void;\n}\n',
      'src/config/a.ts': leaf,
      'src/local/prints.ts': "console.log('started');\n",
      'src/workflows/fine.ts': "import type { Step } from '../activities/a.js';\nexport type { Step };\n",
    });
    const output = await check('eslint', ['src', '--format', 'json']);
    const report = JSON.parse(output) as { filePath: string; messages: { ruleId: string }[] }[];
    const found = (file: string) =>
      report.find(({ filePath }) => filePath === join(project, file))?.messages.map(({ ruleId }) => ruleId);

    for (const [file, rule] of cases) {
      expect([file, found(file)]).toEqual([file, expect.arrayContaining([expect.stringMatching(`(^|/)${rule}$`)])]);
    }
    expect(found('src/local/prints.ts')).toEqual([]);
    expect(found('src/workflows/fine.ts')).toEqual([]);
  });
});
