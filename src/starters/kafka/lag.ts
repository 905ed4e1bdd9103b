/** How many events wait in Kafka, for whoever looks at the metrics. */
import { beforeScrape, metrics } from '../../metrics/index.js';
import type { Config } from '../../config/schema.js';
import type { Logger } from '../../logging/logger.js';
import { createAdmin } from '../../messaging/kafka.js';
import type { EventAdmin } from '../../messaging/messaging.js';

/** Connects when first asked, and anew after a failure. @returns ends it */
export function watchLag(kafka: Config['kafka'], logger: Logger): () => Promise<void> {
  let admin: Promise<EventAdmin> | undefined;
  const close = async (): Promise<void> => {
    const old = admin;
    admin = undefined;
    await (await old?.catch(() => undefined))?.close();
  };
  const stop = beforeScrape('lag', async () => {
    metrics.lag.clear();
    try {
      admin ??= createAdmin(kafka, logger);
      const partitions = await (await admin).lag(kafka.groupId, kafka.uploadsTopic);
      const behind = partitions.reduce((sum, { end, committed }) => sum + (end - committed), 0n);
      metrics.lag.set({}, Number(behind));
    } catch (error) {
      await close().catch(() => undefined);
      throw error;
    }
  });
  return async () => {
    stop();
    await close();
  };
}
