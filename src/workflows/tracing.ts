/**
 * Passes the trace of whoever started a workflow on to its steps, and tells when a run has ended. A module of
 * interceptors: named by workers and by the bundle, not imported by workflows. Without a trace it does nothing; headers
 * and sinks are no commands, so histories replay with it and without.
 */
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import {
  ContinueAsNew,
  proxySinks,
  workflowInfo,
  type Sinks,
  type WorkflowInterceptorsFactory,
} from '@temporalio/workflow';

import {
  formatTraceParent,
  parseTraceParent,
  spanIdOfRun,
  TRACE_HEADER,
  type TraceParent,
  type WorkflowSpan,
} from '../contracts/trace.js';

export interface TraceSinks extends Sinks {
  readonly traces: { ended(span: WorkflowSpan): void };
}

export const interceptors: WorkflowInterceptorsFactory = () => {
  const { runId, runStartTime } = workflowInfo();
  const { traces } = proxySinks<TraceSinks>();
  const spanId = spanIdOfRun(runId);
  let parent: TraceParent | undefined;

  const passOn = <Input extends { readonly headers: Headers }>(input: Input): Input => {
    if (!parent) return input;
    const header = defaultPayloadConverter.toPayload(formatTraceParent({ ...parent, spanId }));
    return { ...input, headers: { ...input.headers, [TRACE_HEADER]: header } };
  };
  const tell = (outcome: WorkflowSpan['outcome']): void => {
    if (parent) traces.ended({ parent, spanId, startedAt: runStartTime.getTime(), endedAt: Date.now(), outcome });
  };

  return {
    inbound: [
      {
        async execute(input, next) {
          const header = input.headers[TRACE_HEADER];
          parent = header && parseTraceParent(defaultPayloadConverter.fromPayload(header));
          try {
            const result: unknown = await next(input);
            tell('ok');
            return result;
          } catch (error) {
            tell(error instanceof ContinueAsNew ? 'ok' : 'failed');
            throw error;
          }
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(passOn(input)),
        scheduleLocalActivity: (input, next) => next(passOn(input)),
        startChildWorkflowExecution: (input, next) => next(passOn(input)),
        continueAsNew: (input, next) => next(passOn(input)),
      },
    ],
  };
};
