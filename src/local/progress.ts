/** Progress of several things at once, as lines: readable in a terminal, in a log and in CI. */

export interface ProgressTask {
  /** The latest line of output. Printed at intervals, with the time since the start. */
  line(text: string): void;
  done(text: string): void;
}

export interface Progress {
  say(text: string): void;
  task(name: string): ProgressTask;
}

export const silent: Progress = {
  say: () => undefined,
  task: () => ({ line: () => undefined, done: () => undefined }),
};

export function formatTask(name: string, seconds: number, text: string, width = 110): string {
  const line = `${name}  ${seconds.toFixed(0)} s  ${text.trim()}`;
  return line.length > width ? `${line.slice(0, width - 3)}...` : line;
}

/** @param everyMs how often a running task prints a line. */
export function printProgress(write: (line: string) => void, everyMs = 10_000): Progress {
  return {
    say: write,
    task: (name) => {
      const started = Date.now();
      let latest = 'started';
      const print = (text: string) => write(formatTask(name, (Date.now() - started) / 1000, text));
      print(latest);
      const timer = setInterval(() => print(latest), everyMs);
      return {
        line: (text) => {
          latest = text;
        },
        done: (text) => {
          clearInterval(timer);
          print(text);
        },
      };
    },
  };
}
