/** Result events out: CloudEvents on `kafka.resultsTopic`, keyed by asset id so that one asset's events stay in order. */
import { createHash } from 'node:crypto';

import type { Config } from '../config/schema.js';
import {
  RESULT_TYPES,
  type CloudEvent,
  type DeadlineAnnounced,
  type Delivered,
  type RenditionReady,
  type StateChanged,
} from '../contracts/results.js';
import type { Logger } from '../logging/logger.js';
import type { EventProducer, ResultPublisher } from './messaging.js';

/** Errors: EVENTS_UNAVAILABLE. */
export function createResultPublisher(producer: EventProducer, config: Config, logger: Logger): ResultPublisher {
  const publish = async (
    events: readonly CloudEvent<StateChanged | RenditionReady | DeadlineAnnounced | Delivered>[],
  ): Promise<void> => {
    await producer.send(
      events.map((event) => ({
        topic: config.kafka.resultsTopic,
        key: event.data.assetId,
        value: JSON.stringify(event),
        headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
      })),
    );
    for (const { data, type, id } of events) logger.debug('result published', { assetId: data.assetId, type, id });
  };
  return {
    state: (change, renditions = []) => {
      const { assetId, workflowId, generation, tenant } = change;
      const now = new Date();
      const ready = renditions.map((rendition) =>
        renditionEvent({ assetId, workflowId, generation, tenant, rendition }, now),
      );
      return publish([...ready, stateEvent(change, now)]);
    },
    deadline: (announced) => publish([deadlineEvent(announced, new Date())]),
    delivery: (delivered) => publish([deliveryEvent(delivered, new Date())]),
  };
}

/** An asset enters a state once per generation: a repeated step repeats the id. */
export function stateEvent(change: StateChanged, now: Date): CloudEvent<StateChanged> {
  const { generation, state, error } = change;
  return envelope(RESULT_TYPES.state, change, [`g${generation}`, state, error?.code ?? ''], now);
}

export function renditionEvent(ready: RenditionReady, now: Date): CloudEvent<RenditionReady> {
  const { generation, rendition } = ready;
  return envelope(RESULT_TYPES.rendition, ready, [`g${generation}`, rendition.name, rendition.url], now);
}

/** Of each deadline, once for each thing that is said of it: another deadline is said another word of. */
export function deadlineEvent(announced: DeadlineAnnounced, now: Date): CloudEvent<DeadlineAnnounced> {
  const { generation, state, publishBy } = announced;
  return envelope(RESULT_TYPES.deadline, announced, [`g${generation}`, state, publishBy], now);
}

/** Once for each publication and target. */
export function deliveryEvent(delivered: Delivered, now: Date): CloudEvent<Delivered> {
  const { generation, target, deliveredAt } = delivered;
  return envelope(RESULT_TYPES.delivery, delivered, [`g${generation}`, target, deliveredAt], now);
}

function envelope<T extends { assetId: string }>(type: string, data: T, facts: string[], now: Date): CloudEvent<T> {
  const id = createHash('sha256')
    .update([type, data.assetId, ...facts].join('\n'))
    .digest('hex')
    .slice(0, 32);
  return {
    specversion: '1.0',
    id,
    source: '/mediamill',
    type,
    subject: data.assetId,
    time: now.toISOString(),
    datacontenttype: 'application/json',
    data,
  };
}
