/** What a metric is. `definitions.ts` says which there are. */

/** Kinds of processes; each tells of what it does itself. */
export const PROCESSES = ['worker', 'kafka', 'http', 'grpc', 'codec', 'ingest'] as const;
export type ProcessKind = (typeof PROCESSES)[number];

/** What stands for every value that a label's list does not have: no label ever has more values than are written down. */
export const OTHER = 'other';

export type Labels = Readonly<Record<string, readonly string[]>>;

interface Common {
  /** By the conventions of Prometheus: base units, `_total` for counters. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  /** Each label with all its values; never an id, never a name that somebody outside chose. */
  readonly labels: Labels;
  /** Who tells of it. */
  readonly by: readonly ProcessKind[];
}

export type Definition =
  | (Common & { readonly type: 'counter' | 'gauge' })
  | (Common & { readonly type: 'histogram'; readonly buckets: readonly number[] });

/** Values of a metric's labels: each is required, each from its list. */
export type LabelsOf<D extends Definition> = { readonly [L in keyof D['labels']]: D['labels'][L][number] };
