/** An ingest: reads lines, has their items begun in time, and waits for them. */
import type { Readable } from 'node:stream';

import type { Client } from '@temporalio/client';

import { knownItems, lineStatus, setEncoders } from '../../../client/ingest.js';
import type { QueueNames } from '../../../contracts/names.js';
import type { LineStatus } from '../../../contracts/ingest.js';
import { metrics } from '../../../metrics/index.js';
import { MediaError } from '../../../contracts/errors.js';
import { followItem } from './follow.js';
import { Names } from './intake.js';
import { deadlineResult, Ledger } from './ledger.js';
import { numberedLines, type NumberedLine } from './lines.js';
import { Pacer } from './pace.js';
import { patiently } from './patiently.js';
import type { Submission, Submit } from './submit.js';
import type { Picture } from './view.js';

export interface IngestOptions {
  readonly name: string;
  readonly encoders: number;
  /** Items per second; undefined: as fast as they come. */
  readonly rate: number | undefined;
  readonly queues: QueueNames;
}

/** Submitted and not ended, at most: what comes later waits where it comes from. */
const MAX_OPEN = 500;

export class Ingest {
  readonly ledger = new Ledger();
  private readonly names = new Names();
  private readonly open = new Set<Promise<void>>();
  private known: ReadonlySet<string> = new Set();
  private line: LineStatus;

  /**
   * @param say told what people should know: lines that are wrong, servers that are away
   * @param stop ends it: what is begun goes on without us
   */
  constructor(
    private readonly temporal: Client,
    private readonly submit: Submit,
    private readonly options: IngestOptions,
    private readonly say: (text: string) => void,
    private readonly stop: AbortController,
  ) {
    this.line = { encoders: options.encoders, waiting: 0, encoding: 0, atRisk: 0 };
  }

  /** Resolves when every item has ended, or when it is stopped. @throws when an operator has to act */
  async run(input: Readable): Promise<void> {
    const { temporal, options, stop, say } = this;
    const { signal } = stop;
    const ask = <T>(what: () => Promise<T>): Promise<T> => patiently(what, signal, say);
    try {
      await ask(() => setEncoders(temporal, options.name, options.encoders, options.queues));
      this.known = await ask(() => knownItems(temporal, options.name));
      signal.addEventListener('abort', () => input.destroy(), { once: true });
      const pacer = new Pacer(options.rate);
      for await (const line of numberedLines(input)) {
        await this.take(line, pacer);
        signal.throwIfAborted();
      }
      await this.unlessStopped(Promise.all(this.open));
    } catch (error) {
      if (!signal.aborted) throw error;
      if (signal.reason instanceof OperatorNeeded) throw signal.reason.cause;
    }
  }

  /** Asks how long the line is; when nobody can say, as it was. */
  async look(): Promise<Picture> {
    const { ledger } = this;
    const asked = ledger.open > 0 ? lineStatus(this.temporal, this.options.name) : undefined;
    this.line = (await asked?.catch(() => undefined)) ?? { ...this.line, waiting: 0, encoding: 0, atRisk: 0 };
    const { waiting, encoding, atRisk, encoders } = this.line;
    return {
      queue: waiting,
      encoding,
      encoders,
      publishing: Math.max(0, ledger.open - waiting - encoding),
      published: ledger.published,
      failed: ledger.ended - ledger.published,
      atRisk: atRisk + ledger.atRisk,
    };
  }

  private async take(line: NumberedLine, pacer: Pacer): Promise<void> {
    const { signal } = this.stop;
    const intake = this.names.take(line);
    if (intake.outcome !== 'item') {
      this.refuse(line.number, intake.outcome, intake.problem);
      return;
    }
    // What was begun before us needs no turn.
    if (!this.known.has(intake.id)) await pacer.wait(signal);
    while (this.open.size >= MAX_OPEN) await this.unlessStopped(Promise.race(this.open));
    const item = this.process(line.number, intake).catch((error: unknown) => {
      if (!signal.aborted) this.stop.abort(new OperatorNeeded(error));
    });
    this.open.add(item);
    void item.finally(() => this.open.delete(item));
  }

  /** Items wait for their ends, which can't be hurried. @throws the signal's reason */
  private unlessStopped<T>(what: Promise<T>): Promise<T> {
    const { signal } = this.stop;
    return new Promise((resolve, reject) => {
      const give = (): void => reject(signal.reason as Error);
      if (signal.aborted) return give();
      signal.addEventListener('abort', give, { once: true });
      what.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
    });
  }

  private refuse(number: number, outcome: 'parse-error' | 'duplicate', problem: string): void {
    metrics.ingestLines.inc({ outcome });
    if (outcome === 'duplicate') this.ledger.duplicates += 1;
    else this.ledger.parseErrors += 1;
    this.say(`line ${number}: ${problem}`);
  }

  private async process(number: number, { id, line }: Submission): Promise<void> {
    const { temporal, say, ledger, options } = this;
    const { signal } = this.stop;
    try {
      await patiently(() => this.submit({ id, line }), signal, say);
    } catch (error) {
      if (!MediaError.is(error)) throw error;
      // Its file is not to be had.
      this.refuse(number, 'parse-error', error.message);
      return;
    }
    ledger.submitted += 1;
    metrics.ingestLines.inc({ outcome: 'submitted' });
    const outcome = await followItem(temporal, { ingest: options.name, id }, signal, say);
    ledger.end(outcome, line.publishNotBefore);
    if (outcome.error) say(`${id}: ${outcome.error.code}: ${outcome.error.message}`);
    // Of a file, the workers that publish it tell.
    if (line.file !== undefined || !outcome.publishBy) return;
    const result = deadlineResult(outcome, line.publishNotBefore);
    if (outcome.wasAtRisk) metrics.deadlines.inc({ result: 'at-risk' });
    metrics.deadlines.inc({ result: result === 'met' ? 'met' : 'missed' });
    const slack = (Date.parse(outcome.publishBy) - Date.parse(outcome.publishedAt ?? outcome.publishBy)) / 1000;
    if (result === 'met') metrics.deadlineSlack.observe({}, Math.max(0, slack));
    else metrics.deadlineLateness.observe({}, Math.max(0, -slack));
  }
}

/** Why one item ended all: nothing can be done until somebody acts. */
class OperatorNeeded extends Error {
  constructor(override readonly cause: unknown) {
    super('stopped', { cause });
  }
}
