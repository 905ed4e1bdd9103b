/** How a trace goes with the work: W3C Trace Context, in Kafka as a header and in Temporal as one, too. */

/** Name of the header. */
export const TRACE_HEADER = 'traceparent';

export interface TraceParent {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Two hex digits; 01: it is recorded. */
  readonly flags: string;
}

/** A run of a workflow that has ended: workflows can't export spans themselves. */
export interface WorkflowSpan {
  readonly parent: TraceParent;
  readonly spanId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: 'ok' | 'failed';
}

const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Undefined of anything else, and of ids that are all zeros: those say that there is none. */
export function parseTraceParent(value: unknown): TraceParent | undefined {
  const [, traceId, spanId, flags] = (typeof value === 'string' && FORM.exec(value)) || [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return /^0+$/.test(traceId) || /^0+$/.test(spanId) ? undefined : { traceId, spanId, flags };
}

export const formatTraceParent = ({ traceId, spanId, flags }: TraceParent): string =>
  `00-${traceId}-${spanId}-${flags}`;

/** The span of a run, known to every replay: half of the run's id, a UUID. */
export const spanIdOfRun = (runId: string): string => runId.replaceAll('-', '').slice(-16);
