import type { ChildEnd } from './child.js';

/** Why we ended a child, when we did. */
export type Stopped = 'wall-time' | 'stalled' | 'memory' | 'output';

export interface ToolFailure {
  /** `ffmpeg`, `ffprobe`, `convert`. */
  readonly tool: string;
  readonly end: Pick<ChildEnd, 'exitCode' | 'signal'>;
  /** The last 16 KiB. */
  readonly stderr: string;
  readonly wallMs: number;
  readonly peakMemoryKiB: number;
  readonly stopped?: Stopped | undefined;
}

/** A tool that did not end well: for logs and for `judge` in failures.ts, never for an uploader. */
export class ToolError extends Error {
  readonly tool: string;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly wallMs: number;
  /** KiB. */
  readonly peakMemoryKiB: number;
  readonly stopped: Stopped | undefined;

  constructor({ tool, end, stderr, wallMs, peakMemoryKiB, stopped }: ToolFailure) {
    const how = stopped
      ? `was stopped (${stopped})`
      : end.signal
        ? `died of ${end.signal}`
        : `exited with ${end.exitCode}`;
    super(`${tool} ${how} after ${Math.round(wallMs)} ms: ${stderr.trim().split('\n').slice(-3).join(' | ')}`);
    this.name = 'ToolError';
    this.tool = tool;
    this.exitCode = end.exitCode;
    this.signal = end.signal;
    this.stderr = stderr;
    this.wallMs = wallMs;
    this.peakMemoryKiB = peakMemoryKiB;
    this.stopped = stopped;
  }

  /** Jest and bundlers evaluate modules more than once: match by shape, not by identity. */
  static is(error: unknown): error is ToolError {
    return error instanceof Error && error.name === 'ToolError' && 'stderr' in error;
  }
}
