/** Processes with a bounded share of the processor, by control groups. Needs the right to make some: root, mostly. */
import { access, mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of the kernel's accounting: a bound is kept over each such stretch. Microseconds. */
const PERIOD = 20_000;

/** Where the groups of version 1 and 2 lie, and the files of a group that bound it. */
const VERSIONS = [
  { root: '/sys/fs/cgroup/cpu', bound: (us: number) => ({ 'cpu.cfs_period_us': PERIOD, 'cpu.cfs_quota_us': us }) },
  { root: '/sys/fs/cgroup', bound: (us: number) => ({ 'cpu.max': `${us} ${PERIOD}` }) },
] as const;

/**
 * @param cores for each of them, e.g. 0.5
 * @param use is given a command for each: it becomes the process that is named behind it
 * @throws Error of the system where groups can't be made
 */
export async function withCoreShares(
  count: number,
  cores: number,
  use: (through: readonly (readonly string[])[]) => Promise<void>,
): Promise<void> {
  const { root, bound } = (await isThere(join(VERSIONS[0].root, 'cpu.cfs_quota_us'))) ? VERSIONS[0] : VERSIONS[1];
  const groups = Array.from({ length: count }, (_, i) => join(root, `mediamill-bench-${process.pid}-${i}`));
  try {
    for (const group of groups) {
      await mkdir(group);
      for (const [file, value] of Object.entries(bound(cores * PERIOD))) await writeFile(join(group, file), `${value}`);
    }
    await use(groups.map((group) => ['sh', '-c', `echo $$ > ${join(group, 'cgroup.procs')} && exec "$@"`, 'sh']));
  } finally {
    for (const group of groups) await removeGroup(group);
  }
}

/** A group is busy for a moment after its last process has ended. @throws when it stays so */
async function removeGroup(group: string): Promise<void> {
  for (let tries = 1; await isThere(group); tries += 1) {
    await rmdir(group).catch((error: unknown) => {
      if (tries === 50) throw error;
      return sleep(100);
    });
  }
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
