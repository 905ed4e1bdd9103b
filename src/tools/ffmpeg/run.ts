/** Runs ffmpeg and ffprobe. */
import { judgeHard } from '../failures.js';
import { processorSeconds, wantsToRun } from '../family.js';
import { countFailure, outcomeOf } from '../outcome.js';
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
    watch: (stop, pid) => watchdog.start(stop, pid),
  });
  return outcomeOf('ffmpeg', run.scratch, child);
}

export async function runFfprobe(spawn: SpawnSandboxed, run: ToolRun): Promise<ToolResult> {
  const args = ['-hide_banner', '-loglevel', 'warning', ...PROTOCOLS, ...run.args];
  // It writes nothing: the disk has no say in it, and complaints about single frames are for the caller to judge.
  return runTool(spawn, { ...childOf(run), command: 'ffprobe', args }).catch((error: unknown) => {
    countFailure('ffprobe', error);
    throw judgeHard(error);
  });
}

/** The parts of a run that the process runner takes. */
export function childOf(run: ToolRun) {
  const { scratch, readOnlyFiles, limits, memory, signal, niceness, onLine } = run;
  return { scratch, readOnlyFiles, limits, memory, wallSeconds: limits.wallSeconds, signal, niceness, onLine };
}

/** Of `stallSeconds`: who made nothing in so much time of a processor hangs; who was not given it waits for its turn. */
const ENOUGH_PROCESSOR = 0.5;

/**
 * On a timer of its own: an encoder that hangs sends no more progress that could be looked at. On a machine that is
 * busy with what is more urgent, an encoder of the bulk may go without a processor for longer than that: it is
 * left alone for as long as it wants to run and was hardly let to. The run's wall time bounds that too.
 */
function createStallWatchdog(seconds: number) {
  let state = '';
  let advancedAt = performance.now();
  let paused = false;
  const advance = (): void => void (advancedAt = performance.now());
  return {
    braked: (child: Brake): Brake => ({
      pause(): void {
        paused = true;
        child.pause();
      },
      resume(): void {
        if (!paused) return;
        paused = false;
        advance();
        child.resume();
      },
    }),
    seen(now: string): void {
      if (now === state) return;
      state = now;
      advance();
    },
    start(stop: (reason: Stopped) => void, pid: number | undefined): () => void {
      advance();
      let looked = { advancedAt, processor: 0 };
      const isStarving = (): boolean => {
        if (pid === undefined) return false;
        return processorSeconds(pid) - looked.processor < seconds * ENOUGH_PROCESSOR && wantsToRun(pid);
      };
      const look = (): void => {
        if (looked.advancedAt !== advancedAt && pid !== undefined)
          looked = { advancedAt, processor: processorSeconds(pid) };
        if (!paused && performance.now() - advancedAt > seconds * 1000 && !isStarving()) stop('stalled');
      };
      const timer = setInterval(look, Math.min(1000, seconds * 250));
      return () => clearInterval(timer);
    },
  };
}
