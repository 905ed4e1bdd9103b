import type { Config } from '../../src/config/schema.js';
import { createLogger } from '../../src/logging/index.js';
import { createAdmin } from '../../src/messaging/kafka.js';
import type { BrokerRecord } from '../../src/messaging/messaging.js';

/** Everything that is in a topic now. */
export async function readTopic(config: Config, topic: string): Promise<BrokerRecord[]> {
  const admin = await createAdmin(config.kafka, createLogger({ ...config.log, level: 'error' }, {}));
  try {
    return await admin.readAll(topic);
  } finally {
    await admin.close();
  }
}
