/** Rows of kind `upload`: an event on the uploads topic, as any other producer would send it. */
import type { OutboxPayloads } from '../../contracts/outbox.js';
import type { OutgoingRecord } from '../../messaging/messaging.js';
import type { RelayContext, RelayHandler } from './relay.js';

const TYPE = 'io.mediamill.upload.complete';

export const relayUploads: RelayHandler<'upload'> = {
  batch: 200,
  async send({ config, producer }: Pick<RelayContext, 'config' | 'producer'>, payloads) {
    const now = new Date();
    const [outcome] = await Promise.allSettled([
      producer.send(payloads.map((payload) => uploadRecord(config.kafka.uploadsTopic, payload, now))),
    ]);
    return payloads.map(() => outcome);
  },
};

/** A CloudEvent 1.0; its key is the one under which the store itself announces the object, so that both meet in one partition. */
export function uploadRecord(topic: string, { assetId, event }: OutboxPayloads['upload'], now: Date): OutgoingRecord {
  const value = {
    specversion: '1.0',
    // Sent twice, it is the same event.
    id: `${assetId}/uploaded`,
    source: '/mediamill',
    type: TYPE,
    subject: assetId,
    time: now.toISOString(),
    datacontenttype: 'application/json',
    data: event,
  };
  return {
    topic,
    key: `${event.bucket}/${event.key}`,
    value: JSON.stringify(value),
    headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
  };
}
