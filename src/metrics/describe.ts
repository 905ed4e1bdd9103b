/** The tables of docs/metrics.md, made from the definitions. */
import type { Definition, ProcessKind } from './definition.js';
import { DEFINITIONS } from './definitions.js';

/** What is longer stands in a table of its own. */
const SHORT = 8;

const PROCESS_NAMES: Readonly<Record<ProcessKind, string>> = {
  worker: 'workers',
  kafka: 'Kafka starter',
  http: 'HTTP server',
  grpc: 'gRPC server',
  codec: 'codec server',
  ingest: '`mediamill ingest`',
};

const definitions: readonly Definition[] = Object.values(DEFINITIONS);

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const code = (values: readonly string[]): string => values.map((value) => `\`${value}\``).join(', ');

/** Every metric. */
export function metricsTable(): string {
  const rows = definitions.map(({ name, type, labels, help, by }) => [
    `\`${name}\``,
    type,
    Object.entries(labels)
      .map(([label, values]) => (values.length > SHORT ? `\`${label}\`: see below` : `\`${label}\`: ${code(values)}`))
      .join('<br>'),
    help,
    by.map((kind) => PROCESS_NAMES[kind]).join(', '),
  ]);
  return table(['Metric', 'Type', 'Labels', 'Meaning', 'Told by'], rows);
}

/** Labels with many values. */
export function labelsTable(): string {
  const lists = new Map<readonly string[], { readonly label: string; readonly of: string[] }>();
  for (const { name, labels } of definitions) {
    for (const [label, values] of Object.entries(labels)) {
      if (values.length <= SHORT) continue;
      const list = lists.get(values) ?? { label, of: [] };
      list.of.push(`\`${name}\``);
      lists.set(values, list);
    }
  }
  const rows = [...lists].map(([values, { label, of }]) => [`\`${label}\``, of.join(', '), code(values)]);
  return table(['Label', 'Of', 'Values'], rows);
}

/** Bounds of the histograms. */
export function bucketsTable(): string {
  const rows = definitions.flatMap((definition) =>
    definition.type === 'histogram' ? [[`\`${definition.name}\``, definition.buckets.join(', ')]] : [],
  );
  return table(['Histogram', 'Upper bounds'], rows);
}
