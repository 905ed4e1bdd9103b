/** `dlq list | show | replay`: the events that could not work. */
import type { Command } from 'commander';

import type { Config } from '../../config/schema.js';
import { createLogger } from '../../logging/index.js';
import { readLetters, replayMarker, replayOf, type DeadLetter } from '../../messaging/dead-letter.js';
import { createAdmin, createProducer } from '../../messaging/kafka.js';
import { cliConfig } from './config.js';
import { json, plain, table } from './format.js';

interface ReplayOptions {
  readonly all?: boolean;
  readonly reason?: string;
  readonly again?: boolean;
}

export function registerDlq(program: Command): void {
  const dlq = program.command('dlq').description('events that can never work: look at them, send them again');

  dlq
    .command('list')
    .description('all dead-lettered events')
    .option('--reason <reason>', 'only those with this reason')
    .option('--json', 'print one JSON object per event')
    .action(async (options: { reason?: string; json?: boolean }) => {
      const all = await letters(cliConfig());
      const wanted = options.reason ? all.filter(({ reason }) => reason === options.reason) : all;
      if (options.json) for (const letter of wanted) console.log(json(described(letter)));
      else console.log(listing(wanted));
    });

  dlq
    .command('show')
    .description('one event with its content')
    .argument('<id>', 'partition:offset, as `dlq list` prints it')
    .option('--json', 'print a JSON object')
    .action(async (id: string, options: { json?: boolean }) => {
      const letter = find(await letters(cliConfig()), id);
      if (options.json) console.log(json({ ...described(letter), content: content(letter) }));
      else console.log(details(letter));
    });

  dlq
    .command('replay')
    .description('send events again to the topic that they came from; each once, unless --again')
    .argument('[ids...]', 'partition:offset, as `dlq list` prints it')
    .option('--all', 'every event that has not been replayed')
    .option('--reason <reason>', 'every event with this reason that has not been replayed')
    .option('--again', 'also those that have been replayed')
    .action(async (ids: string[], options: ReplayOptions) => {
      const config = cliConfig();
      const chosen = select(await letters(config), ids, options);
      await replay(config, chosen);
      console.log(chosen.length === 1 ? '1 event replayed' : `${chosen.length} events replayed`);
    });
}

/** Standard output is for results. */
const cliLogger = ({ log }: Config) => createLogger(log, { process: 'cli' }, process.stderr);

async function letters(config: Config): Promise<DeadLetter[]> {
  const admin = await createAdmin(config.kafka, cliLogger(config));
  try {
    return readLetters(await admin.readAll(config.kafka.dlqTopic));
  } finally {
    await admin.close();
  }
}

/** @throws Error, for people, when an id is unknown, replayed already, or its event was not kept whole. */
export function select(
  all: readonly DeadLetter[],
  ids: readonly string[],
  { all: every, reason, again }: ReplayOptions,
): DeadLetter[] {
  if (ids.length > 0) {
    return ids.map((id) => {
      const letter = find(all, id);
      if (letter.replayed && !again) throw new Error(`${id} has been replayed already; --again sends it once more.`);
      if (!letter.whole) throw new Error(`${id} was too large to be kept whole: it can not be replayed.`);
      return letter;
    });
  }
  if (!every && !reason) throw new Error('Say which events: partition:offset, --reason or --all.');
  return all.filter((letter) => letter.whole && (again || !letter.replayed) && (!reason || letter.reason === reason));
}

/**
 * The event first, its marker after: when this process dies between the two, the event is offered for
 * replay once more, which starts nothing twice.
 */
async function replay(config: Config, chosen: readonly DeadLetter[]): Promise<void> {
  const producer = await createProducer(config.kafka, cliLogger(config));
  try {
    for (const letter of chosen) {
      await producer.send([replayOf(letter)]);
      await producer.send([replayMarker(letter)]);
    }
  } finally {
    await producer.close();
  }
}

function find(all: readonly DeadLetter[], id: string): DeadLetter {
  const letter = all.find((candidate) => candidate.id === id);
  if (!letter) throw new Error(`There is no event ${id} in the dead-letter topic.`);
  return letter;
}

const described = ({ id, reason, detail, origin, time, replays, replayed, whole, record }: DeadLetter) => ({
  id,
  reason,
  detail,
  origin,
  time,
  replays,
  replayed,
  whole,
  bytes: record.value?.length ?? 0,
});

const content = ({ record }: DeadLetter) => ({
  key: record.key?.toString() ?? null,
  value: record.value?.toString() ?? null,
});

const originOf = ({ origin }: DeadLetter): string => `${origin.topic}/${origin.partition}/${origin.offset}`;

function listing(wanted: readonly DeadLetter[]): string {
  const rows = wanted.map((letter) => [
    letter.id,
    letter.reason,
    letter.time,
    originOf(letter),
    letter.replayed ? 'replayed' : '-',
    letter.detail,
  ]);
  return table([['ID', 'REASON', 'TIME', 'ORIGIN', 'REPLAYED', 'DETAIL'], ...rows]);
}

function details(letter: DeadLetter): string {
  const { key, value } = content(letter);
  const facts = [
    ['reason', letter.reason],
    ['detail', letter.detail],
    ['origin', originOf(letter)],
    ['time', letter.time],
    ['replayed', letter.replayed ? 'yes' : 'no'],
    ['key', key ?? '(none)'],
  ];
  return `${table(facts)}\n\n${plain(value ?? '(no value)')}${letter.whole ? '' : ' ...'}`;
}
