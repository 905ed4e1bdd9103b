/** Runs ffmpeg and ffprobe. */
import { judgeHard } from '../failures.js';
import { outcomeOf } from '../outcome.js';
import { runTool } from '../process.js';
import type { SpawnSandboxed } from '../child.js';
import type { Stopped } from '../tool-error.js';
import type { Brake, FfmpegRun, ToolResult, ToolRun } from '../tools.js';
import { createProgressParser } from './progress.js';

/** A playlist or a concat list that poses as a video could name URLs and other protocols. */
const PROTOCOLS = ['-protocol_whitelist', 'file,pipe'];
/** Seconds between two progress blocks. */
const PROGRESS_PERIOD = '0.5';

export async function runFfmpeg(spawn: SpawnSandboxed, run: FfmpegRun): Promise<ToolResult> {
  const watchdog = createStallWatchdog(run.stallSeconds);
  const onLine = createProgressParser((block) => {
    watchdog.seen(`${block.frame} ${block.outTime} ${block.bytes}`);
    run.onProgress?.({ frame: block.frame, outTime: block.outTime, speed: block.speed });
  });
  const child = runTool(spawn, {
    ...childOf(run),
    command: 'ffmpeg',
    args: [
      ...['-nostdin', '-hide_banner', '-nostats', '-loglevel', 'warning'],
      ...['-progress', 'pipe:1', '-stats_period', PROGRESS_PERIOD],
      ...run.args.flatMap((arg) => (arg === '-i' ? [...PROTOCOLS, arg] : [arg])),
    ],
    onLine,
    onStart: (child) => run.onStart?.(watchdog.braked(child)),
    watch: (stop) => watchdog.start(stop),
  });
  return outcomeOf('ffmpeg', run.scratch, child);
}

export async function runFfprobe(spawn: SpawnSandboxed, run: ToolRun): Promise<ToolResult> {
  const args = ['-hide_banner', '-loglevel', 'warning', ...PROTOCOLS, ...run.args];
  // It writes nothing: the disk has no say in it, and complaints about single frames are for the caller to judge.
  return runTool(spawn, { ...childOf(run), command: 'ffprobe', args }).catch((error: unknown) => {
    throw judgeHard(error);
  });
}

/** The parts of a run that the process runner takes. */
export function childOf(run: ToolRun) {
  const { scratch, readOnlyFiles, limits, memory, signal, niceness, onLine } = run;
  return { scratch, readOnlyFiles, limits, memory, wallSeconds: limits.wallSeconds, signal, niceness, onLine };
}

/** On a timer of its own: an encoder that hangs sends no more progress that could be looked at. */
function createStallWatchdog(seconds: number) {
  let last = '';
  let advancedAt = performance.now();
  let paused = false;
  return {
    braked: (child: Brake): Brake => ({
      pause(): void {
        paused = true;
        child.pause();
      },
      resume(): void {
        if (!paused) return;
        paused = false;
        advancedAt = performance.now();
        child.resume();
      },
    }),
    seen(state: string): void {
      if (state === last) return;
      last = state;
      advancedAt = performance.now();
    },
    start(stop: (reason: Stopped) => void): () => void {
      advancedAt = performance.now();
      const timer = setInterval(
        () => {
          if (!paused && performance.now() - advancedAt > seconds * 1000) stop('stalled');
        },
        Math.min(1000, seconds * 250),
      );
      return () => clearInterval(timer);
    },
  };
}
