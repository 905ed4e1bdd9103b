/** Tables as the migrations make them, and the connection to them. */
import { Kysely, PostgresDialect, type Generated, type GeneratedAlways, type JSONColumnType } from 'kysely';
import pg from 'pg';
import type { Config } from '../config/index.js';
import type { AssetDocument, AssetState, Job, MediaKind, Priority } from '../contracts/assets.js';
import type { DeadlineState, Measure } from '../contracts/deadlines.js';
import { MediaError, type PublicError } from '../contracts/errors.js';
import type { DeliveryState } from '../contracts/targets.js';

interface AssetsTable {
  id: string;
  workflow_id: string;
  bucket: string;
  key: string;
  version: string;
  tenant: string;
  kind: MediaKind | null;
  state: AssetState;
  /** The generation that `state` speaks of. */
  begun: number;
  /** The published generation; 0 while none is. */
  generation: number;
  error: JSONColumnType<PublicError> | null;
  document: JSONColumnType<AssetDocument> | null;
  /** Of the uploaded bytes, hexadecimal; of images. */
  sha256: string | null;
  /** bit(64), as a text of zeros and ones. */
  perceptual_hash: string | null;
  title: string | null;
  file_name: string | null;
  tags: Generated<string[]>;
  metadata: JSONColumnType<Record<string, string>, string | undefined>;
  profile: Generated<string>;
  priority: Generated<Priority>;
  /** int8 comes back as text. */
  bytes: string | number | null;
  /** Seconds. */
  duration: number | null;
  content_type: string | null;
  job: JSONColumnType<Job> | null;
  api_key: string | null;
  legal_hold: Generated<boolean>;
  source_sha256: string | null;
  /** Ends with a slash, below the media bucket. */
  outputs_prefix: string | null;
  revision: Generated<number>;
  purged_at: Date | null;
  source_removed_at: Date | null;
  /** Nothing of generations below this one is kept any more. */
  swept_below: Generated<number>;
  publish_by: Date | null;
  publish_not_before: Date | null;
  first_published_at: Date | null;
  deadline_state: DeadlineState | null;
  projected_at: Date | null;
  deadline_measures: Generated<Measure[]>;
  /** Only searches and sorting use these: a tsvector; title and file name without accents, case and punctuation. */
  words: GeneratedAlways<string>;
  names: GeneratedAlways<string>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface EncodeSpeedsTable {
  machine_class: string;
  work: string;
  speed: number;
  samples: Generated<number>;
  updated_at: Generated<Date>;
}

interface VocabularyTable {
  tenant: string;
  word: string;
}

interface HistoryTable {
  id: Generated<string>;
  asset_id: string;
  at: Generated<Date>;
  from_state: AssetState | null;
  to_state: AssetState;
  generation: number;
  step: string;
  error: JSONColumnType<PublicError> | null;
}

interface QuarantineTable {
  sha256: string;
  verdict: JSONColumnType<PublicError>;
  asset_id: string;
  tenant: string;
  since: Generated<Date>;
}

interface TenantsTable {
  id: string;
  settings: JSONColumnType<Record<string, unknown>, string | undefined>;
  created_at: Generated<Date>;
}

interface ApiKeysTable {
  id: string;
  tenant: string;
  name: string;
  secret_hash: Buffer;
  scopes: string[];
  limits: JSONColumnType<Record<string, number>, string | undefined>;
  created_at: Generated<Date>;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
}

interface UploadsTable {
  id: string;
  tenant: string;
  api_key: string | null;
  kind: 'post' | 'tus' | 'put' | 'multipart' | 'url' | 'grpc' | 'image';
  state: Generated<'open' | 'complete' | 'failed' | 'expired' | 'cancelled'>;
  bucket: string;
  key: string;
  /** int8 comes back as text. */
  size: string | number | null;
  sha256: string | null;
  content_type: string | null;
  file_name: string | null;
  facts: JSONColumnType<Record<string, unknown>, string | undefined>;
  progress: JSONColumnType<Record<string, unknown>, string | undefined>;
  error: JSONColumnType<PublicError> | null;
  asset_id: string | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  expires_at: Date;
}

interface UploadLocksTable {
  upload_id: string;
  holder: string;
  until: Date;
  wanted: Generated<boolean>;
}

interface OutboxTable {
  id: Generated<string>;
  kind: 'upload' | 'start' | 'delete' | 'webhook' | 'document';
  payload: JSONColumnType<Record<string, unknown>, string>;
  created_at: Generated<Date>;
  attempts: Generated<number>;
  not_before: Generated<Date>;
}

interface IdempotencyKeysTable {
  tenant: string;
  key: string;
  fingerprint: string;
  status: number | null;
  headers: JSONColumnType<Record<string, string>> | null;
  body: string | null;
  locked_until: Date;
  created_at: Generated<Date>;
}

interface ContentsTable {
  tenant: string;
  sha256: string;
  profile: string;
  asset_id: string;
}

interface WebhookEndpointsTable {
  id: string;
  tenant: string;
  url: string;
  /** `EndpointSecret`s. */
  secrets: JSONColumnType<readonly { readonly secret: string; readonly until?: string }[], string>;
  events: Generated<string[]>;
  enabled: Generated<boolean>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface WebhookDeliveriesTable {
  id: string;
  endpoint_id: string;
  event_id: string;
  type: string;
  payload: JSONColumnType<Record<string, unknown>, string>;
  state: Generated<'pending' | 'delivered' | 'failed'>;
  attempts: Generated<number>;
  last_status: number | null;
  last_error: string | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

interface TargetDeliveriesTable {
  asset_id: string;
  generation: number;
  target: string;
  required: boolean;
  state: DeliveryState;
  failures: Generated<number>;
  error: string | null;
  requested_at: Generated<Date>;
  delivered_at: Date | null;
}

interface DemandsTable {
  asset_id: string;
  needed_by: Date;
  work: number;
}

export interface Tables {
  assets: AssetsTable;
  asset_history: HistoryTable;
  asset_vocabulary: VocabularyTable;
  quarantine: QuarantineTable;
  tenants: TenantsTable;
  api_keys: ApiKeysTable;
  uploads: UploadsTable;
  upload_locks: UploadLocksTable;
  outbox: OutboxTable;
  idempotency_keys: IdempotencyKeysTable;
  contents: ContentsTable;
  webhook_endpoints: WebhookEndpointsTable;
  webhook_deliveries: WebhookDeliveriesTable;
  encode_speeds: EncodeSpeedsTable;
  target_deliveries: TargetDeliveriesTable;
  deadline_demands: DemandsTable;
}

export type Database = Kysely<Tables>;

const CONNECT_MS = 5_000;
/** No statement of ours takes a second; longer means a lost connection or a lock that is never released. */
const STATEMENT_MS = 15_000;

export function connect(config: Config['catalogue']): Database {
  const pool = new pg.Pool({
    connectionString: config.url,
    max: config.poolSize,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS + CONNECT_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    keepAlive: true,
    application_name: 'mediamill',
  });
  // Nobody waits for these two: the pool drops an idle connection that breaks, and one that breaks in
  // use fails its query as well. Unheard, either event would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/** PostgreSQL, appendix A: data, constraint and syntax errors are ours; all others may pass. 42P01: the tables are not there yet. */
const isOurMistake = (sqlState: string): boolean => /^(22|23|42)/.test(sqlState) && sqlState !== '42P01';

/** Runs statements; what another try can mend becomes CATALOGUE_UNAVAILABLE. */
export async function mapped<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    const { code, name } = error as { code?: unknown; name?: string };
    const isSqlState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
    if (isSqlState ? isOurMistake(code) : name === 'TypeError' || MediaError.is(error)) throw error;
    throw new MediaError('CATALOGUE_UNAVAILABLE', undefined, { cause: error });
  }
}
