export { spanned, spannedWithin } from './spans.js';
export { startTelemetry, type Telemetry } from './start.js';
export { tracedStarts, tracedSteps, workflowSpans } from './temporal.js';
