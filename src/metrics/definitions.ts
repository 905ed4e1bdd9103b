/**
 * Every metric that there is. From this file they are registered, checked and documented (docs/metrics.md, made by
 * `scripts/docs.mjs`). What is told here is told of work, never of a person: no label holds an id or a tenant.
 */
import { ANSWERS, JOURNEYS, MARGINS, SPEEDS, STEPS } from './buckets.js';
import type { Definition } from './definition.js';
import {
  ACTIVITIES,
  CODES,
  DURATIONS,
  ENDS,
  GRPC_CODES,
  GRPC_METHODS,
  KINDS,
  MEASURES,
  METHODS,
  OUTBOX_KINDS,
  QUEUES,
  REFUSED,
  ROUTES,
  STAGES,
  STATUSES,
  TARGET_KINDS,
  TOOLS,
} from './labels.js';

const NONE = {} as const;

export const DEFINITIONS = {
  // What comes in
  events: {
    name: 'mediamill_events_total',
    type: 'counter',
    help: 'Upload events of Kafka that were dealt with.',
    labels: { outcome: ['started', 'nothing', 'dead-letter'] },
    by: ['kafka'],
  },
  deadLetters: {
    name: 'mediamill_dead_letters_total',
    type: 'counter',
    help: 'Events that were put on the dead-letter topic, by reason.',
    labels: { reason: REFUSED },
    by: ['kafka'],
  },
  starts: {
    name: 'mediamill_workflow_starts_total',
    type: 'counter',
    help: 'Workflows begun, or found begun already, for an upload.',
    labels: { kind: ['video', 'image'] },
    by: ['kafka', 'http', 'ingest'],
  },
  eventPauses: {
    name: 'mediamill_event_pauses_total',
    type: 'counter',
    help: 'Times that events had to wait: for places (full), for a system that is away (outage), for a mistake in the set-up (setup).',
    labels: { reason: ['full', 'outage', 'setup'] },
    by: ['kafka'],
  },
  lag: {
    name: 'mediamill_kafka_lag_records',
    type: 'gauge',
    help: 'Upload events that the group of starters has not dealt with yet, over all partitions.',
    labels: NONE,
    by: ['kafka'],
  },

  // What waits and what runs
  openWorkflows: {
    name: 'mediamill_open_workflows',
    type: 'gauge',
    help: 'Open workflows of the whole system by stage, as Temporal counts them. Every worker of the queue media tells the same: use max.',
    labels: { stage: STAGES },
    by: ['worker'],
  },
  outboxRows: {
    name: 'mediamill_outbox_rows',
    type: 'gauge',
    help: 'Rows of the outbox that are to leave the catalogue. Every HTTP server tells the same: use max.',
    labels: { kind: OUTBOX_KINDS },
    by: ['http'],
  },
  outboxSent: {
    name: 'mediamill_outbox_sends_total',
    type: 'counter',
    help: 'Attempts of the relay to send a row of the outbox.',
    labels: { kind: OUTBOX_KINDS, outcome: ['sent', 'later'] },
    by: ['http'],
  },
  queueWait: {
    name: 'mediamill_queue_wait_seconds',
    type: 'histogram',
    help: 'How long a step waited in its task queue for a worker.',
    labels: { queue: QUEUES },
    buckets: STEPS,
    by: ['worker'],
  },
  steps: {
    name: 'mediamill_step_duration_seconds',
    type: 'histogram',
    help: 'How long one attempt of an activity ran, and how it ended.',
    labels: { activity: ACTIVITIES, outcome: ['ok', 'failed', 'waiting', 'cancelled', 'drained'] },
    buckets: STEPS,
    by: ['worker'],
  },
  stepFailures: {
    name: 'mediamill_step_failures_total',
    type: 'counter',
    help: 'Attempts of activities that failed, by code. Most are tried again.',
    labels: { activity: ACTIVITIES, code: CODES },
    by: ['worker'],
  },
  toolFailures: {
    name: 'mediamill_tool_failures_total',
    type: 'counter',
    help: 'Programs and decoders that did not end well, by what that means.',
    labels: { tool: TOOLS, code: CODES },
    by: ['worker'],
  },

  // What is made
  encodeSpeed: {
    name: 'mediamill_encode_speed_ratio',
    type: 'histogram',
    help: 'Media seconds per second of encoding, of one chunk with all its rungs.',
    labels: { duration: DURATIONS },
    buckets: SPEEDS,
    by: ['worker'],
  },
  segments: {
    name: 'mediamill_segments_total',
    type: 'counter',
    help: 'Segments of video and sound put into the store.',
    labels: { kind: ['video', 'audio'] },
    by: ['worker'],
  },
  storeBytes: {
    name: 'mediamill_store_bytes_total',
    type: 'counter',
    help: 'Bytes of requests to the object store and of its answers.',
    labels: { direction: ['read', 'written'] },
    by: ['worker', 'http', 'grpc'],
  },
  assetsEnded: {
    name: 'mediamill_assets_ended_total',
    type: 'counter',
    help: 'Assets whose work has ended, by how.',
    labels: { kind: KINDS, state: ENDS },
    by: ['worker'],
  },
  failures: {
    name: 'mediamill_asset_failures_total',
    type: 'counter',
    help: 'Assets that failed, by the code that their uploader reads.',
    labels: { code: CODES },
    by: ['worker'],
  },
  firstFrame: {
    name: 'mediamill_first_frame_seconds',
    type: 'histogram',
    help: 'From an upload until it can be watched; told when it is published.',
    labels: { duration: DURATIONS },
    buckets: JOURNEYS,
    by: ['worker'],
  },
  ready: {
    name: 'mediamill_ready_seconds',
    type: 'histogram',
    help: 'From an upload until it is published, whole or in part.',
    labels: { duration: DURATIONS },
    buckets: JOURNEYS,
    by: ['worker'],
  },

  // Deadlines
  deadlines: {
    name: 'mediamill_deadlines_total',
    type: 'counter',
    help: 'Deadlines by what became of them. An asset at risk is counted again when it is met or missed.',
    labels: { result: ['at-risk', 'met', 'missed'] },
    by: ['worker', 'ingest'],
  },
  deadlineSlack: {
    name: 'mediamill_deadline_slack_seconds',
    type: 'histogram',
    help: 'How long before its deadline an asset that met it was published.',
    labels: NONE,
    buckets: MARGINS,
    by: ['worker', 'ingest'],
  },
  deadlineLateness: {
    name: 'mediamill_deadline_lateness_seconds',
    type: 'histogram',
    help: 'How long after its deadline an asset that missed it was published.',
    labels: NONE,
    buckets: MARGINS,
    by: ['worker', 'ingest'],
  },
  deadlineMeasures: {
    name: 'mediamill_deadline_measures_total',
    type: 'counter',
    help: 'Measures taken so that a deadline is met, once for each asset.',
    labels: { measure: MEASURES },
    by: ['worker'],
  },
  openDeadlines: {
    name: 'mediamill_open_deadlines',
    type: 'gauge',
    help: 'Assets with a deadline that are not published yet, of the whole system. Every worker of the queue media tells the same: use max.',
    labels: { state: ['on-time', 'at-risk'] },
    by: ['worker'],
  },
  leastSlack: {
    name: 'mediamill_open_deadlines_least_slack_seconds',
    type: 'gauge',
    help: 'Of the assets that are not published yet, the least time between projection and deadline; negative: late. Absent: there are none.',
    labels: { state: ['on-time', 'at-risk'] },
    by: ['worker'],
  },

  // Publishing
  publishers: {
    name: 'mediamill_publishers',
    type: 'gauge',
    help: 'Publishers of targets that are slow to start, by what they are doing.',
    labels: { state: ['starting', 'ready', 'busy'] },
    by: ['worker', 'ingest'],
  },
  publishersWanted: {
    name: 'mediamill_publishers_wanted',
    type: 'gauge',
    help: 'How many publishers the pool wants to have warm.',
    labels: NONE,
    by: ['worker', 'ingest'],
  },
  publisherStart: {
    name: 'mediamill_publisher_start_seconds',
    type: 'histogram',
    help: 'How long publishers took to start.',
    labels: NONE,
    buckets: STEPS,
    by: ['worker', 'ingest'],
  },
  publisherWait: {
    name: 'mediamill_publisher_wait_seconds',
    type: 'histogram',
    help: 'How long deliveries waited for a ready publisher.',
    labels: NONE,
    buckets: STEPS,
    by: ['worker', 'ingest'],
  },
  publisherDeaths: {
    name: 'mediamill_publisher_deaths_total',
    type: 'counter',
    help: 'Publishers that ended without having been asked to.',
    labels: NONE,
    by: ['worker', 'ingest'],
  },
  deliveries: {
    name: 'mediamill_delivery_duration_seconds',
    type: 'histogram',
    help: 'How long one attempt to hand an asset to a target took, and how it ended.',
    labels: { target: TARGET_KINDS, outcome: ['ok', 'failed'] },
    buckets: STEPS,
    by: ['worker', 'ingest'],
  },

  // Ingest
  ingestLines: {
    name: 'mediamill_ingest_lines_total',
    type: 'counter',
    help: 'Lines read by `mediamill ingest`.',
    labels: { outcome: ['submitted', 'parse-error', 'duplicate'] },
    by: ['ingest'],
  },
  ingestItems: {
    name: 'mediamill_ingest_items',
    type: 'gauge',
    help: 'Items of `mediamill ingest` by where they are.',
    labels: { stage: ['queue', 'encoding', 'publishing', 'published', 'failed', 'at-risk'] },
    by: ['ingest'],
  },

  // What is asked
  httpRequests: {
    name: 'mediamill_http_request_duration_seconds',
    type: 'histogram',
    help: 'Answers of the HTTP server. Streams and held segments last as long as they should.',
    labels: { method: METHODS, route: ROUTES, status: STATUSES },
    buckets: ANSWERS,
    by: ['http', 'codec'],
  },
  grpcCalls: {
    name: 'mediamill_grpc_call_duration_seconds',
    type: 'histogram',
    help: 'Calls of the gRPC server.',
    labels: { method: GRPC_METHODS, code: GRPC_CODES },
    buckets: ANSWERS,
    by: ['grpc'],
  },

  // Of this page itself
  scrapeErrors: {
    name: 'mediamill_scrape_errors_total',
    type: 'counter',
    help: 'Times that something could not be looked up for `/metrics`; its values are left out then.',
    labels: { source: ['open-workflows', 'outbox', 'lag', 'deadlines', 'temporal', 'publishers', 'ingest'] },
    by: ['worker', 'kafka', 'http', 'ingest'],
  },
} as const satisfies Record<string, Definition>;

export type MetricName = keyof typeof DEFINITIONS;
