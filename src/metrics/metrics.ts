/**
 * The instruments of this process: `metrics.deadlines.inc({ result: 'met' })`. Counting never fails and never waits.
 */
import { Counter, Gauge, Histogram, type Metric } from 'prom-client';

import { OTHER, type Definition, type LabelsOf, type ProcessKind } from './definition.js';
import { DEFINITIONS, type MetricName } from './definitions.js';

export interface CounterOf<L> {
  inc(labels: L, by?: number): void;
}

export interface GaugeOf<L> {
  set(labels: L, value: number): void;
  /** Forgets all values: nothing is known. */
  clear(): void;
}

export interface HistogramOf<L> {
  observe(labels: L, value: number): void;
}

type InstrumentOf<D extends Definition> = D['type'] extends 'counter'
  ? CounterOf<LabelsOf<D>>
  : D['type'] extends 'gauge'
    ? GaugeOf<LabelsOf<D>>
    : HistogramOf<LabelsOf<D>>;

type Instruments = { readonly [N in MetricName]: InstrumentOf<(typeof DEFINITIONS)[N]> };

/** A counter of which the first value seen is 1 hides the first event from `rate()`. Only where that are few series. */
const FEW = 64;

const definitions = Object.entries(DEFINITIONS) as [MetricName, Definition][];

/** In no registry: a process tells of what is its own to tell (`metricsOf`). */
const families = new Map<MetricName, Metric>(definitions.map(([key, definition]) => [key, familyOf(definition)]));
for (const [key, definition] of definitions) startAtZero(definition, families.get(key)!);

export const metrics = Object.fromEntries(
  definitions.map(([key, definition]) => [key, instrumentOf(definition, families.get(key)!)]),
) as unknown as Instruments;

/** What this kind of process tells of. */
export const metricsOf = (kind: ProcessKind): Metric[] =>
  definitions.filter(([, { by }]) => by.includes(kind)).map(([key]) => families.get(key)!);

function familyOf(definition: Definition): Metric {
  const { name, help } = definition;
  const config = { name, help, labelNames: Object.keys(definition.labels), registers: [] };
  switch (definition.type) {
    case 'counter':
      return new Counter(config);
    case 'gauge':
      return new Gauge(config);
    case 'histogram':
      return new Histogram({ ...config, buckets: [...definition.buckets] });
  }
}

function instrumentOf(
  { labels: lists }: Definition,
  family: Metric,
): CounterOf<unknown> | GaugeOf<unknown> | HistogramOf<unknown> {
  const closed = (labels: unknown): Record<string, string> =>
    Object.fromEntries(
      Object.entries(lists).map(([name, values]) => {
        const value = (labels as Record<string, string>)[name];
        return [name, value !== undefined && values.includes(value) ? value : OTHER];
      }),
    );
  if (family instanceof Counter) return { inc: (labels, by = 1) => by >= 0 && family.inc(closed(labels), by) };
  if (family instanceof Histogram) {
    return { observe: (labels, value) => Number.isFinite(value) && family.observe(closed(labels), value) };
  }
  const gauge = family as Gauge;
  // `reset` leaves a gauge without labels at zero, which looks like a good number.
  const hasLabels = Object.keys(lists).length > 0;
  return {
    set: (labels, value) => gauge.set(closed(labels), value),
    clear: () => (hasLabels ? gauge.reset() : gauge.remove()),
  };
}

function startAtZero({ labels }: Definition, family: Metric): void {
  const sets = Object.entries(labels).reduce<Record<string, string>[]>(
    (before, [name, values]) => before.flatMap((set) => values.map((value) => ({ ...set, [name]: value }))),
    [{}],
  );
  if (sets.length > FEW) return;
  for (const set of sets) {
    if (family instanceof Counter) family.inc(set, 0);
    if (family instanceof Histogram) family.zero(set);
  }
}
