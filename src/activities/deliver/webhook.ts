/** A target that is told by a POST, and must answer 2xx. */
import type { Config } from '../../config/schema.js';
import type { WebhookTarget } from '../../contracts/targets.js';
import { post } from '../webhooks/post.js';
import { signatureHeaders } from '../webhooks/sign.js';
import { Refused, type Parcel, type Target } from './target.js';

const ANSWER_SECONDS = 20;
const START_SECONDS = 1;

export function createWebhookTarget(spec: WebhookTarget, { webhooks, publishers }: Config): Target {
  const { url, secret, answerSeconds = ANSWER_SECONDS, startUrl, once = false } = spec;
  const { startSeconds = START_SECONDS, min = 0, max = publishers.max } = spec;
  const allowPrivate = webhooks.allowPrivate === 'on';

  async function tell(to: string, id: string, body: string, seconds: number, signal: AbortSignal): Promise<void> {
    const headers = {
      ...signatureHeaders(id, body, secret === undefined ? [] : [{ secret }], new Date()),
      'content-type': 'application/json',
      'user-agent': 'mediamill-publisher',
    };
    const { error } = await post(new URL(to), headers, body, { allowPrivate, signal, timeLimit: seconds * 1000 });
    if (error !== undefined) throw new Refused(error);
  }

  return {
    kind: 'webhook',
    rules: { min, max, startSeconds, reusable: !once },
    async start(signal) {
      if (startUrl !== undefined) {
        const body = JSON.stringify({ type: 'publisher.start', timestamp: new Date().toISOString(), data: {} });
        // It may take longer than was said: then that is what is expected from now on.
        await tell(startUrl, 'publisher.start', body, 10 * Math.max(startSeconds, ANSWER_SECONDS), signal);
      }
      return { publish: (parcel, during) => tell(url, parcel.id, bodyOf(parcel), answerSeconds, during) };
    },
  };
}

function bodyOf({ assetId, generation, tenant, document }: Parcel): string {
  const { kind, state, playback, renditions, image, timings } = document;
  const data = { assetId, generation, tenant, kind, state, playback, renditions, image };
  return JSON.stringify({ type: 'asset.published', timestamp: timings.readyAt, data });
}
