/** One run of the exercise, whatever its clock is. */
import { randomFrom } from '../random.js';
import { Chain, dueAt, type Clock, type Settings } from './chain.js';
import { makeItems } from './items.js';
import { policyOf, type PolicyName } from './policies.js';

export interface Run extends Settings {
  readonly policy: PolicyName;
  readonly seed: number;
  /** Items per second. */
  readonly rate: number;
  /** Items that nobody can publish in time. */
  readonly hopeless: number;
}

/** Seconds. */
export interface Outcome {
  readonly published: number;
  readonly onTime: number;
  /** By how much each late one was late, but for those that nobody could have published in time. */
  readonly lateness: readonly number[];
  /** From arrival until encoding began, each. */
  readonly waits: readonly number[];
  /** When the last one was published, after the first arrival. */
  readonly span: number;
  readonly encoderUse: number;
  readonly publishers: { readonly mean: number; readonly most: number };
}

/** The same seed gives the same items and the same starts, whatever the policy. */
export const startsOf = (seed: number): (() => number) => randomFrom(seed * 7919);

export async function runOnce(clock: Clock, run: Run): Promise<Outcome> {
  const chain = new Chain(clock, run, startsOf(run.seed));
  const { tickets, encoderUse, publishers } = await chain.run(makeItems(run.seed, run), policyOf(run.policy, chain));
  const late = tickets.filter((ticket) => ticket.publishedAt > dueAt(ticket));
  const couldBeMet = late.filter(({ encodingTime, publicationTimeout }) => encodingTime <= publicationTimeout);
  return {
    published: tickets.length,
    onTime: tickets.length - late.length,
    lateness: couldBeMet.map((ticket) => ticket.publishedAt - dueAt(ticket)),
    waits: tickets.map(({ startedAt, arrival }) => startedAt - arrival),
    span: Math.max(...tickets.map(({ publishedAt }) => publishedAt)),
    encoderUse,
    publishers,
  };
}
