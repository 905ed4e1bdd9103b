/**
 * Metrics of Temporal's SDK. Its core can serve them on a port only: here on a free one of loopback that nobody else is
 * told of, from which they are fetched whenever ours are asked for.
 */
import getPort from 'get-port';

export interface TemporalMetrics {
  /** For `Runtime.install`: `telemetryOptions.metrics`. */
  readonly exporter: {
    readonly prometheus: {
      readonly bindAddress: string;
      readonly countersTotalSuffix: true;
      readonly unitSuffix: true;
      readonly useSecondsForDurations: true;
    };
  };
  /** In Prometheus' text format. */
  readonly read: () => Promise<string>;
}

const HOST = '127.0.0.1';

export async function temporalMetrics(): Promise<TemporalMetrics> {
  const bindAddress = `${HOST}:${await getPort({ host: HOST })}`;
  return {
    exporter: {
      prometheus: { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
    },
    read: async () => {
      const response = await fetch(`http://${bindAddress}/metrics`, { signal: AbortSignal.timeout(3000) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      return withHelp(await response.text());
    },
  };
}

/** Some of them come without a word of help, and `promtool check metrics` wants one for each. */
export function withHelp(text: string): string {
  const helped = new Set([...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => name));
  return text
    .replace(/^# HELP \S+ *\n/gm, '')
    .replace(/^# TYPE (\S+) .*$/gm, (line, name: string) =>
      helped.has(name) ? line : `# HELP ${name} ${wordsOf(name)} (Temporal SDK).\n${line}`,
    );
}

const wordsOf = (name: string): string => name.replace(/^temporal_/, '').replaceAll('_', ' ');
