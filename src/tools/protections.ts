/** Finds out, by trying, how decoders can be confined on this host. */
import { execFile } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { giveToSandbox } from './scratch-owner.js';
import { type Host, MEANS, type Means, PROTECTIONS, sandboxedCommand } from './sandbox.js';

/**
 * The best means that works here.
 *
 * @throws Error at start, in mode `strict`, when network, file-system or privilege isolation is not to be had; its
 *   message says which and what brings it.
 */
export async function detectHost(mode: 'strict' | 'reduced'): Promise<Host> {
  const systemFolders = await findSystemFolders();
  const reasons: string[] = [];
  for (const means of MEANS) {
    const host = { means, systemFolders };
    const reason = await tryMeans(host);
    if (reason === null) {
      if (mode === 'strict') refuseWeak(means, reasons);
      return host;
    }
    reasons.push(`${PROTECTIONS[means].by}: ${reason}`);
  }
  throw new Error(`No program can be started here: ${reasons.join('; ')}`);
}

/** @throws Error when what `strict` promises is not kept by this means; `reasons`: why the better ones failed. */
export function refuseWeak(means: Means, reasons: readonly string[]): void {
  const protections = PROTECTIONS[means];
  const missing = [
    ...(protections.fileSystem ? [] : ['file-system isolation']),
    ...(protections.network ? [] : ['network isolation']),
    ...(protections.privileges ? [] : ['privilege isolation']),
  ];
  if (missing.length === 0) return;
  throw new Error(
    `Decoders of untrusted files would run without ${missing.join(', ')} here. ` +
      'Install bubblewrap 0.8 or newer and allow it user namespaces (in a container: a seccomp profile and AppArmor rule that ' +
      'permit unshare and mount), or accept the risk with SANDBOX_MODE=reduced. ' +
      `Tried: ${reasons.join('; ')}`,
  );
}

/** Null when the means works: the child can write its scratch folder and, where promised, not see the file beside it. */
export async function tryMeans(host: Host): Promise<string | null> {
  const dir = await mkdtemp(join(tmpdir(), 'mediamill-probe-'));
  const scratch = join(dir, 'scratch');
  const outside = join(dir, 'outside');
  try {
    await mkdir(scratch);
    await writeFile(outside, '', { mode: 0o600 });
    const unowned = host.means === 'unshare' ? tryGive(scratch) : null;
    if (unowned !== null) return unowned;
    const hidden = PROTECTIONS[host.means].fileSystem ? '[ ! -e "$1" ] && ' : '';
    const { file, args, cwd, env } = sandboxedCommand(host, {
      command: '/bin/sh',
      args: ['-c', `${hidden}: > probe`, 'sh', outside],
      scratch,
      readOnlyFiles: [],
      limits: { memoryMiB: 256, cpuSeconds: 5, fileMiB: 1 },
      memory: 'address-space',
      readOnlyPaths: [],
      env: {},
      niceness: 0,
    });
    const reason = await new Promise<string | null>((resolve) => {
      execFile(file, args, { cwd, env, timeout: 5000, killSignal: 'SIGKILL' }, (error, _stdout, stderr) => {
        if (error === null) resolve(null);
        else
          resolve(
            stderr.trim().split('\n')[0] || (error.code === 'ENOENT' ? `${file} is not installed` : error.message),
          );
      });
    });
    if (reason !== null) return reason;
    return await stat(join(scratch, 'probe')).then(
      () => null,
      () => 'the scratch folder is not writable',
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Only root may hand files to another user. */
function tryGive(scratch: string): string | null {
  try {
    giveToSandbox(scratch);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** /usr and what stands beside it: links on a merged-/usr system, real folders elsewhere. */
export async function findSystemFolders(): Promise<Array<readonly [string, string | null]>> {
  const found: Array<readonly [string, string | null]> = [];
  for (const path of ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']) {
    const entry = await lstat(path).catch(() => null);
    if (entry?.isSymbolicLink()) found.push([path, await readlink(path)]);
    else if (entry?.isDirectory()) found.push([path, null]);
  }
  return found;
}
