export type { ProcessKind } from './definition.js';
export { durationClassOf } from './labels.js';
export { metrics } from './metrics.js';
