/** A tenant's webhooks. All of it takes the scope `admin`: whoever names a URL is sent what happens to every asset. */
import { randomBytes } from 'node:crypto';

import * as endpoints from '../../catalogue/webhook-endpoints.js';
import type { EndpointSecret, WebhookEndpoint } from '../../catalogue/webhook-endpoints.js';
import { refuseLiteral } from '../../net/public-address.js';
import { mustAllow, type Caller } from '../caller.js';
import type { ApiContext } from '../context.js';
import { ApiProblem } from '../problems.js';
import { webhookOf, type Webhook, type WebhookWithSecret } from './resource.js';

type Needs = Pick<ApiContext, 'config' | 'db'>;

/** Each event of a tenant is written once for each of them. */
const MOST = 20;
/** More would make the signature header too long for some receivers. */
const MOST_SECRETS = 5;

const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
const unknown = (): ApiProblem => new ApiProblem('webhook-unknown');

export async function createWebhook(
  { config, db }: Needs,
  caller: Caller,
  { url, events = [] }: { url: string; events?: readonly string[] | undefined },
): Promise<WebhookWithSecret> {
  mustAllow(caller, 'admin');
  const secret = newSecret();
  const endpoint = await endpoints.createEndpoint(
    db,
    {
      id: randomBytes(18).toString('base64url'),
      tenant: caller.tenant,
      url: checked(url, config),
      secrets: [{ secret }],
      events,
    },
    MOST,
  );
  if (!endpoint) throw new ApiProblem('conflict', { detail: `There may be ${MOST} webhooks.` });
  return { ...webhookOf(endpoint), secret };
}

export async function listWebhooks({ db }: Needs, caller: Caller): Promise<Webhook[]> {
  mustAllow(caller, 'admin');
  return (await endpoints.listEndpoints(db, caller.tenant)).map(webhookOf);
}

export async function getWebhook(ctx: Needs, caller: Caller, id: string): Promise<Webhook> {
  return webhookOf(await endpointOf(ctx, caller, id));
}

/** @throws ApiProblem `webhook-unknown` */
export async function endpointOf({ db }: Pick<Needs, 'db'>, caller: Caller, id: string): Promise<WebhookEndpoint> {
  mustAllow(caller, 'admin');
  const endpoint = await endpoints.findEndpoint(db, caller.tenant, id);
  if (!endpoint) throw unknown();
  return endpoint;
}

export async function changeWebhook(
  { config, db }: Needs,
  caller: Caller,
  id: string,
  { url, ...changes }: { url?: string; events?: readonly string[]; enabled?: boolean },
): Promise<Webhook> {
  mustAllow(caller, 'admin');
  const wanted = { ...changes, ...(url !== undefined && { url: checked(url, config) }) };
  const endpoint = await endpoints.changeEndpoint(db, caller.tenant, id, wanted);
  if (!endpoint) throw unknown();
  return webhookOf(endpoint);
}

/** @param keepHours for so long the present secrets go on signing beside the new one */
export async function rotateSecret(
  { db }: Needs,
  caller: Caller,
  id: string,
  keepHours: number,
): Promise<WebhookWithSecret> {
  mustAllow(caller, 'admin');
  const secret = newSecret();
  const endpoint = await endpoints.changeSecrets(db, caller.tenant, id, (secrets) =>
    rotated(secrets, secret, keepHours, new Date()),
  );
  if (!endpoint) throw unknown();
  return { ...webhookOf(endpoint), secret };
}

/** Pure. Secrets that have an end keep it when it is sooner. */
export function rotated(
  secrets: readonly EndpointSecret[],
  secret: string,
  keepHours: number,
  now: Date,
): EndpointSecret[] {
  const end = new Date(now.getTime() + keepHours * 3_600_000);
  const old = secrets
    .map((one) => ({
      ...one,
      until: one.until !== undefined && new Date(one.until) < end ? one.until : end.toISOString(),
    }))
    .filter(({ until }) => new Date(until) > now);
  return [{ secret }, ...old].slice(0, MOST_SECRETS);
}

export async function removeWebhook({ db }: Needs, caller: Caller, id: string): Promise<void> {
  mustAllow(caller, 'admin');
  if (!(await endpoints.removeEndpoint(db, caller.tenant, id))) throw unknown();
}

/** What can be told from the URL alone; its name is looked up at each delivery. */
function checked(text: string, { webhooks }: Needs['config']): string {
  const refused = (detail: string): ApiProblem => new ApiProblem('url-refused', { detail });
  if (!URL.canParse(text)) throw refused('It is no URL.');
  const url = new URL(text);
  const isPrivate = webhooks.allowPrivate === 'on';
  if (url.protocol !== 'https:' && !(isPrivate && url.protocol === 'http:')) throw refused('It must be HTTPS.');
  if (url.username !== '' || url.password !== '') throw refused('It must not hold credentials.');
  url.hash = '';
  if (!isPrivate) {
    try {
      refuseLiteral(url);
    } catch {
      throw refused('Its address is not public.');
    }
    if (/(^|\.)localhost\.?$/.test(url.hostname)) throw refused('Its address is not public.');
  }
  return url.href;
}
