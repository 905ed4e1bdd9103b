/** What the service needs in its servers: topics, buckets, notifications. All idempotent. */
import { migrate } from '../catalogue/migrate.js';
import type { Config } from '../config/index.js';
import type { Logger } from '../logging/logger.js';
import { createAdmin } from '../messaging/kafka.js';
import { createObjectStore } from '../storage/index.js';
import { announceNewObjects } from './bucket-events.js';
import { poll } from './ready.js';

/** What a client says of a server that is still starting is no news; what matters reaches us as an error. */
const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
  flush: () => Promise.resolve(),
};

export async function prepareKafkaTopics({ kafka }: Config, more: readonly string[] = []): Promise<void> {
  const admin = await createAdmin(kafka, quiet);
  try {
    const topics = [kafka.uploadsTopic, kafka.dlqTopic, kafka.resultsTopic, ...more];
    await admin.ensureTopics(topics, kafka.partitions);
    // A broker that has just started lists topics before it leads their partitions, and groups before it
    // coordinates them: asking for offsets fails until it does both.
    const patience = AbortSignal.timeout(30_000);
    for (const topic of topics) await poll(() => admin.lag(kafka.groupId, topic), patience);
  } finally {
    await admin.close();
  }
}

/** @param announce whether the server is one that we started with our notification target. */
export async function prepareStore(config: Config, { announce }: { announce: boolean }): Promise<void> {
  const { storage, http } = config;
  const store = createObjectStore(storage);
  await store.ensureBucket(storage.uploadsBucket);
  await store.ensureBucket(storage.stagingBucket);
  // What is played is let out by tokens, where somebody asks for them; images are named by plain URLs.
  await store.ensureBucket(storage.mediaBucket, { publicRead: http.auth === 'off' ? 'outputs' : 'images' });
  if (announce) await announceNewObjects(storage, storage.uploadsBucket);
}

export async function prepareCatalogue({ catalogue }: Config): Promise<void> {
  await migrate(catalogue);
}
