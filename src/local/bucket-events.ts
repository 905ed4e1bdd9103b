/** Bucket notifications: what tells Kafka of a new object. A matter of the server's set-up, so it is not in the store's port. */
import { Client, NotificationConfig, QueueConfig } from 'minio';
import type { Config } from '../config/index.js';
import { notificationArns } from './servers/minio.js';

/** Every new object of the bucket becomes a record of the topic that the server was started with. Idempotent. */
export async function announceNewObjects(storage: Config['storage'], bucket: string): Promise<void> {
  const url = new URL(storage.endpoint);
  const client = new Client({
    endPoint: url.hostname,
    port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
    useSSL: url.protocol === 'https:',
    accessKey: storage.accessKey,
    secretKey: storage.secretKey,
    region: storage.region,
  });
  const notification = new NotificationConfig();
  for (const arn of notificationArns(storage.region)) {
    const queue = new QueueConfig(arn);
    queue.addEvent('s3:ObjectCreated:*');
    notification.add(queue);
  }
  await client.setBucketNotification(bucket, notification);
}
