/** Spans around pieces of work. Without `startTelemetry` all of this does nothing. */
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
} from '@opentelemetry/api';

import { TRACE_HEADER } from '../contracts/trace.js';

export interface SpanOptions {
  readonly kind?: keyof typeof SpanKind | undefined;
  /** Never names of files, keys or people: traces go to services of others. */
  readonly attributes?: Attributes | undefined;
  /** `traceparent` of what led to it. Absent: what is going on now. */
  readonly parent?: string | undefined;
}

/** Runs `work` in a span of its own: of what `parent` says, else of what is going on now, else of a new trace. */
export async function spanned<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  const { kind = 'INTERNAL', attributes, parent } = options;
  const from = parent === undefined ? context.active() : contextOf(parent);
  const span = tracer().startSpan(name, { kind: SpanKind[kind], attributes }, from);
  try {
    return await context.with(trace.setSpan(from, span), work);
  } catch (error) {
    // Its type, not its message: that may quote a file.
    span.setAttribute('error.type', typeOf(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** The same, where it is part of something; alone it says nothing to anybody. */
export function spannedWithin<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  return trace.getActiveSpan() ? spanned(name, options, work) : work();
}

/** `traceparent` of what is going on now. Undefined: nothing, or telemetry is off. */
export function currentTraceParent(): string | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier[TRACE_HEADER];
}

export const tracer = () => trace.getTracer('mediamill');

/** What `traceparent` is of; of none that is well-formed: nothing. */
export const contextOf = (traceParent: string): Context =>
  propagation.extract(ROOT_CONTEXT, { [TRACE_HEADER]: traceParent });

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code, type } = error as { code?: unknown; type?: unknown };
  return [code, type].find((word) => typeof word === 'string') ?? error.name;
}
