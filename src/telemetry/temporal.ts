/** Traces through Temporal: who starts a workflow, the workflow, its steps. */
import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';

import { formatTraceParent, parseTraceParent, TRACE_HEADER, type WorkflowSpan } from '../contracts/trace.js';
import { nextSpanId } from './ids.js';
import { contextOf, currentTraceParent, spanned, tracer } from './spans.js';

/** For clients: a workflow that is started within a span belongs to its trace. */
export const tracedStarts: WorkflowClientInterceptor = {
  startWithDetails: (input, next) =>
    spanned(`start ${input.workflowType}`, { kind: 'PRODUCER' }, () =>
      next({ ...input, headers: withTrace(input.headers) }),
    ),
  signalWithStart: (input, next) =>
    spanned(`start ${input.workflowType}`, { kind: 'PRODUCER' }, () =>
      next({ ...input, headers: withTrace(input.headers) }),
    ),
};

/** For workers: a span for each attempt of a step whose workflow has a trace. */
export const tracedSteps: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    execute: (input, next) => {
      const header = input.headers[TRACE_HEADER];
      const parent = header && defaultPayloadConverter.fromPayload<unknown>(header);
      if (parseTraceParent(parent) === undefined) return next(input);
      const attributes = {
        'temporal.workflow.id': info.workflowExecution?.workflowId,
        'temporal.run.id': info.workflowExecution?.runId,
        'temporal.task_queue': info.taskQueue,
        'temporal.attempt': info.attempt,
      };
      return spanned(info.activityType, { kind: 'CONSUMER', attributes, parent: parent as string }, () => next(input));
    },
  },
});

/** For workers: writes down the spans of workflows, which have no other way out. See `workflows/tracing.ts`. */
export const workflowSpans: InjectedSinks<{ traces: { ended(span: WorkflowSpan): void } }> = {
  traces: {
    ended: {
      callDuringReplay: false,
      fn: ({ workflowType, workflowId, runId }, { parent, spanId, startedAt, endedAt, outcome }) => {
        const span = nextSpanId(spanId, () =>
          tracer().startSpan(
            workflowType,
            { startTime: startedAt, attributes: { 'temporal.workflow.id': workflowId, 'temporal.run.id': runId } },
            contextOf(formatTraceParent(parent)),
          ),
        );
        if (outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
        span.end(endedAt);
      },
    },
  },
};

function withTrace(headers: Headers): Headers {
  const traceParent = trace.getActiveSpan() && currentTraceParent();
  return traceParent ? { ...headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(traceParent) } : headers;
}
