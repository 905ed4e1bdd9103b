/** Opens everything that activities work with, and closes it again. */
import type { ActivityContext } from '../activities/context.js';
import { openTargets } from '../activities/deliver/targets.js';
import { connect } from '../catalogue/database.js';
import { createCatalogueOn } from '../catalogue/postgres.js';
import { loadProfiles } from '../config/profiles.js';
import type { Config } from '../config/schema.js';
import { loadTargets } from '../config/targets.js';
import type { Logger } from '../logging/logger.js';
import { createProducer } from '../messaging/kafka.js';
import { createResultPublisher } from '../messaging/results.js';
import { createObjectStore } from '../storage/index.js';
import { createScratch } from '../storage/scratch.js';
import { createTools } from '../tools/index.js';
import type { Tools } from '../tools/tools.js';

export interface OpenContext {
  readonly activities: ActivityContext;
  close(): Promise<void>;
}

/** What decoding takes, without the catalogue and the broker. */
export interface OpenTools {
  readonly activities: Pick<ActivityContext, 'config' | 'profiles' | 'logger' | 'store' | 'scratch' | 'tools'>;
  close(): Promise<void>;
}

export async function openTools(config: Config, logger: Logger): Promise<OpenTools> {
  const profiles = loadProfiles(config.profiles.dir);
  const scratch = await createScratch(config.scratch, logger);
  try {
    const tools = await createTools(config, logger, scratch.dir);
    const close = async (): Promise<void> => {
      await tools.close();
      await scratch.close();
    };
    return {
      activities: { config, profiles, logger, store: createObjectStore(config.storage), scratch, tools },
      close,
    };
  } catch (error) {
    await scratch.close();
    throw error;
  }
}

/** @param needs `tools`: whether this process runs decoders (and so must have their sandbox). */
export async function openContext(config: Config, logger: Logger, needs: { tools: boolean }): Promise<OpenContext> {
  const profiles = loadProfiles(config.profiles.dir);
  const named = loadTargets(config.publishers.targets, profiles);
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.reverse()) await closer();
  };
  try {
    const scratch = await createScratch(config.scratch, logger);
    closers.push(() => scratch.close());
    const tools = needs.tools ? await createTools(config, logger, scratch.dir) : undefined;
    if (tools) closers.push(() => tools.close());
    const db = connect(config.catalogue);
    const catalogue = createCatalogueOn(db);
    closers.push(() => catalogue.close());
    const producer = await createProducer(config.kafka, logger);
    closers.push(() => producer.close());
    const store = createObjectStore(config.storage);
    const targets = openTargets({ config, targets: named, logger, store, scratch });
    closers.push(() => targets.close());
    return {
      activities: {
        config,
        profiles,
        logger,
        store,
        catalogue,
        db,
        results: createResultPublisher(producer, config, logger),
        scratch,
        // Only the roles that need tools are given activities that use them.
        tools: tools as Tools,
        targets,
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
