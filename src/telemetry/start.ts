/** Turns traces on, where the standard environment of OpenTelemetry asks for them. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger } from '../logging/logger.js';
import { ids } from './ids.js';

/** A collector that is away must not hold up a process that ends. Milliseconds. */
const FLUSH_LIMIT = 3_000;

export interface Telemetry {
  /** Sends what is left. */
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Off unless an endpoint is named: `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
 * `OTEL_SDK_DISABLED=true` and `OTEL_TRACES_EXPORTER=none` keep it off all the same.
 */
export function wantsTraces(env: Environment): boolean {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  const isOff = env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none';
  return endpoint !== '' && !isOff;
}

/** @param teller what of us this is: `worker:video` */
export async function startTelemetry(
  teller: string,
  logger: Logger,
  env: Environment = process.env,
): Promise<Telemetry> {
  if (!wantsTraces(env)) return { close: async () => undefined };
  // Nobody pays for loading what is off.
  const [sdk, { OTLPTraceExporter }, resources, api] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/api'),
  ]);
  const warn = (message: string): void => logger.warn('traces', { message });
  const quiet = (): void => undefined;
  api.diag.setLogger({ error: warn, warn, info: quiet, debug: quiet, verbose: quiet }, api.DiagLogLevel.WARN);
  const own = resources.resourceFromAttributes({ 'service.name': 'mediamill', 'mediamill.process': teller });
  // `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` go above ours.
  const resource = own.merge(resources.detectResources({ detectors: [resources.envDetector] }));
  const provider = new sdk.NodeTracerProvider({
    resource,
    idGenerator: ids,
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  logger.info('traces are sent');
  return {
    close: () => Promise.race([provider.shutdown().catch((error: unknown) => warn(String(error))), sleep(FLUSH_LIMIT)]),
  };
}
