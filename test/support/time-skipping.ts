/** Temporal's test server for the tests of one file. */
import { afterAll, beforeAll } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';

import { startTimeServer, type TimeServer } from './time-server.js';

/** A cold start fetches it. */
const START_MS = 300_000;

/** Registers hooks; use what it returns within tests. */
export function useTimeSkipping(): { readonly env: TestWorkflowEnvironment } {
  let server: TimeServer | undefined;
  beforeAll(async () => {
    server = await startTimeServer();
  }, START_MS);
  afterAll(() => server?.stop(), 60_000);
  return {
    get env() {
      if (!server) throw new Error('the server is there within tests and hooks only');
      return server.env;
    },
  };
}
