/** Workflows that run while a new version is deployed must be able to go on: their histories replay. */
import { readdirSync, readFileSync } from 'node:fs';

import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';

import { HISTORIES, workflowBundle } from './support.js';

beforeAll(() => Runtime.install({ logger: new DefaultLogger('ERROR') }));

test('every recorded history replays on the workflows of today', async () => {
  const files = readdirSync(HISTORIES);
  expect(files.length).toBeGreaterThan(10);
  const histories = files.map((file) => ({
    workflowId: file,
    history: historyFromJSON(JSON.parse(readFileSync(`${HISTORIES}/${file}`, 'utf8'))),
  }));
  const errors: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories)) {
    if (error) errors.push(`${workflowId}: ${error.message}`);
  }
  expect(errors).toEqual([]);
}, 60_000);

test("a history that today's workflows would not write is noticed", async () => {
  const name = readdirSync(HISTORIES).find((file) => file.includes('a-video-is-inspected'));
  const text = readFileSync(`${HISTORIES}/${name}`, 'utf8').replaceAll('"inspectMedia"', '"lookAtMedia"');
  await expect(Worker.runReplayHistory({ workflowBundle }, historyFromJSON(JSON.parse(text)))).rejects.toThrow(
    /[Nn]ondeterminism/,
  );
});
