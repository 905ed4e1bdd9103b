/** What `mediamill init` does: prepares servers that others run, once for each environment. All of it may run again. */
import proto from '@temporalio/proto';
import { migrate } from '../catalogue/migrate.js';
import { connectTemporal, type TemporalAddress } from '../client/connection.js';
import type { Config } from '../config/index.js';
import { SEARCH_ATTRIBUTES } from '../contracts/names.js';
import { prepareKafkaTopics, prepareStore } from './prepare.js';

export interface InitOptions {
  /** Whether to have new objects announced through the store's notification target `MEDIAMILL`, which MinIO's environment names. */
  readonly announce: boolean;
  /** Told of each step that is done, in words. */
  readonly report?: (step: string) => void;
}

export async function initServers(config: Config, { announce, report = () => undefined }: InitOptions): Promise<void> {
  const applied = await migrate(config.catalogue);
  report(`catalogue: ${applied.length > 0 ? `migrated ${applied.join(', ')}` : 'up to date'}`);
  const added = await ensureSearchAttributes(config.temporal);
  report(`search attributes: ${added.length > 0 ? `added ${added.join(', ')}` : 'there'}`);
  await prepareKafkaTopics(config);
  report(`topics: ${config.kafka.uploadsTopic}, ${config.kafka.dlqTopic}, ${config.kafka.resultsTopic}`);
  await prepareStore(config, { announce });
  report(
    `buckets: ${config.storage.uploadsBucket}, ${config.storage.stagingBucket}, ${config.storage.mediaBucket}${announce ? ', new objects announced' : ''}`,
  );
}

/** @returns the names that were not there. */
export async function ensureSearchAttributes(address: TemporalAddress): Promise<string[]> {
  const client = await connectTemporal(address);
  try {
    const { namespace } = address;
    const { operatorService } = client.temporal.connection;
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = Object.values(SEARCH_ATTRIBUTES).filter((name) => !(name in customAttributes));
    const keyword = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
    if (missing.length > 0) {
      await operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
      });
    }
    return missing;
  } finally {
    await client.close();
  }
}
