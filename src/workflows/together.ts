/** Side by side without left-overs: when one task fails, the others are cancelled and waited for. */
import { CancellationScope, isCancellation, log } from '@temporalio/workflow';

type Task<T> = () => Promise<T>;
type Results<Tasks extends readonly Task<unknown>[]> = { -readonly [I in keyof Tasks]: Awaited<ReturnType<Tasks[I]>> };

/**
 * Like `Promise.all`, but rejects only after every task has ended, so that nothing still writes
 * what the caller then cleans up. Rejects with the failure that started it, not with the
 * cancellations that followed.
 */
export async function together<const Tasks extends readonly Task<unknown>[]>(tasks: Tasks): Promise<Results<Tasks>> {
  const scope = new CancellationScope();
  return scope.run(async () => {
    const outcomes = await Promise.allSettled(
      tasks.map(async (task) => {
        try {
          return await task();
        } catch (error) {
          scope.cancel();
          throw error;
        }
      }),
    );
    const rejections = outcomes
      .filter((outcome) => outcome.status === 'rejected')
      .map(({ reason }) => reason as unknown);
    if (rejections.length > 0) throw rejections.find((reason) => !isCancellation(reason)) ?? rejections[0];
    return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as Results<Tasks>;
  });
}

/** Maps items in order of their places, at most `lanes` at once. */
export async function inLanes<Item, Result>(
  lanes: number,
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await run(item);
  };
  await together(Array.from({ length: Math.min(lanes, items.length) }, () => lane));
  return results;
}

/** Runs `service` for as long as `work` goes on, then stops it and waits until it has stopped. Ends as `work` does. */
export async function alongside<T>(service: Task<void>, work: Task<T>): Promise<T> {
  const scope = new CancellationScope();
  const serving = scope.run(service).catch((error: unknown) => {
    if (!isCancellation(error)) log.error('a service ended', { error });
  });
  try {
    return await work();
  } finally {
    scope.cancel();
    await serving;
  }
}
