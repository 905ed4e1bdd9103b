/** Figures of several rounds. */
export const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

export function median(values: readonly number[]): number {
  const all = sorted(values);
  const middle = Math.floor(all.length / 2);
  return all.length % 2 === 1 ? all[middle]! : (all[middle - 1]! + all[middle]!) / 2;
}

/** `1.043 (1.031 to 1.060)` */
export function spread(values: readonly number[], digits = 3): string {
  const all = sorted(values).map((value) => value.toFixed(digits));
  return `${median(values).toFixed(digits)} (${all[0]} to ${all.at(-1)})`;
}

/** A number from the environment. */
export const setting = (name: string, value: number): number => Number(process.env[name] ?? value);
