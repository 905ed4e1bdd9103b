import { rm } from 'node:fs/promises';

export default async function teardown() {
  await globalThis.__stopStack?.();
  if (globalThis.__stackDir && !process.env.MEDIAMILL_KEEP_TEST_STATE) {
    await rm(globalThis.__stackDir, { recursive: true, force: true });
  }
}
