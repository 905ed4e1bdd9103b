/** Figures of several runs as a row of a table. */
import { PLACES, type PolicyName } from './policies.js';
import type { Outcome } from './run.js';
import { sorted } from '../numbers.js';

export const HEADINGS = [
  ...['POLICY', 'REPORTED', 'IN TIME', 'LATE BY s p50/p99/max', 'ENCODERS BUSY', 'PUBLISHERS KEPT', 'MOST'],
  ...['WAIT FOR ENCODER s p50/p99', 'LAST ONE AFTER s'],
];

export function rowOf(policy: PolicyName, outcomes: readonly Outcome[], reported: string): string[] {
  const all = (one: (outcome: Outcome) => number): number[] => outcomes.map(one);
  const lateness = sorted(outcomes.flatMap((outcome) => outcome.lateness));
  const waits = sorted(outcomes.flatMap((outcome) => outcome.waits));
  const late = [0.5, 0.99, 1].map((share) => quantile(lateness, share).toFixed(2));
  return [
    policy,
    reported,
    meanAndRange(all(({ onTime }) => onTime), 1, 0), // prettier-ignore
    lateness.length > 0 ? late.join(' / ') : '-',
    `${Math.round(100 * mean(all(({ encoderUse }) => encoderUse)))} %`,
    mean(all(({ publishers }) => publishers.mean)).toFixed(1),
    `${Math.max(...all(({ publishers }) => publishers.most))}${policy === 'ours' ? ` of ${PLACES}` : ''}`,
    [0.5, 0.99].map((share) => quantile(waits, share).toFixed(1)).join(' / '),
    meanAndRange(all(({ span }) => span), 1), // prettier-ignore
  ];
}

/** `152.1 (151 to 154)` */
export function meanAndRange(values: readonly number[], digits: number, rangeDigits = digits): string {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(rangeDigits));
  return `${mean(values).toFixed(digits)} (${least} to ${most})`;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** @param ascending @param share of the values that are not larger */
function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? 0;
}
