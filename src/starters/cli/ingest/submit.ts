/** Puts a line's file into the store and has its item begun, through Temporal or through Kafka. Safe to repeat. */
import { access, constants } from 'node:fs/promises';
import { basename } from 'node:path';

import type { Client } from '@temporalio/client';

import { startItem } from '../../../client/ingest.js';
import type { Config } from '../../../config/schema.js';
import { MediaError } from '../../../contracts/errors.js';
import { itemWorkflowIdOf } from '../../../contracts/ingest.js';
import { itemEventOf } from '../../../contracts/ingest-event.js';
import type { IngestLine, ItemDefaults } from '../../../contracts/ingest-line.js';
import type { EventProducer } from '../../../messaging/messaging.js';
import type { ObjectStore } from '../../../storage/object-store.js';
import { admitItem } from '../../kafka/admit-item.js';

export interface Submission {
  readonly id: string;
  readonly line: IngestLine;
}

export type Submit = (submission: Submission) => Promise<void>;

export interface SubmitPorts {
  readonly config: Config;
  readonly store: ObjectStore;
  readonly temporal: Client;
  /** Absent: items are begun through Temporal. */
  readonly producer?: EventProducer | undefined;
}

/** @throws MediaError OBJECT_MISSING when the file can't be read; what the store, Temporal or Kafka throw */
export function createSubmit({ config, store, temporal, producer }: SubmitPorts, defaults: ItemDefaults): Submit {
  return async ({ id, line }) => {
    const object = line.file === undefined ? undefined : await putFile(store, config, defaults.ingest, id, line.file);
    const data = { ...defaults, id, line, object };
    if (!producer) {
      const admitted = await admitItem(data, store, config.starter);
      if (!admitted.ok) throw new MediaError('OBJECT_MISSING', admitted.detail);
      await startItem(temporal, admitted.item, config.queues);
      return;
    }
    const event = itemEventOf(itemWorkflowIdOf({ ingest: defaults.ingest, id }), data);
    await producer.send([
      {
        topic: config.kafka.uploadsTopic,
        key: id,
        value: JSON.stringify(event),
        headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
      },
    ]);
  };
}

/** Into the bucket of which nobody is told: it is begun when its turn has come, not when it is there. */
async function putFile(store: ObjectStore, { storage }: Config, ingest: string, id: string, file: string) {
  const bucket = storage.stagingBucket;
  const key = `ingest/${ingest}/${id}/${basename(file)}`;
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    throw new MediaError('OBJECT_MISSING', file, { cause: error });
  }
  try {
    // Put by an earlier run: another version of it would be another asset.
    await store.stat(bucket, key);
  } catch (error) {
    if (!MediaError.is(error) || error.code !== 'OBJECT_MISSING') throw error;
    await store.putFile(bucket, key, file, { contentType: 'application/octet-stream' });
  }
  return { bucket, key };
}
