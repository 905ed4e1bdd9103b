export type { ProcessKind } from './definition.js';
export { durationClassOf, STAGES } from './labels.js';
export { beforeScrape } from './look-up.js';
export { metrics } from './metrics.js';
export { serveMetrics, type MetricsServer } from './serve.js';
