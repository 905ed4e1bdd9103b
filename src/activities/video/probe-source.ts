/** Measures a source: by its index where it has one, else by reading every packet. */
import type { Job } from '../../contracts/assets.js';
import { MediaError, type ErrorCode } from '../../contracts/errors.js';
import type { VideoFacts } from '../../contracts/plan.js';
import { SOURCE_FILE } from '../../media/video/encode-args.js';
import { SAFE_INPUT } from '../../media/video/ffmpeg-input.js';
import type { FfprobeReport } from '../../media/video/ffprobe-report.js';
import { endOfSamples, spansOf } from '../../media/video/movie-index.js';
import { PACKET_ENTRIES, PacketMeter } from '../../media/video/packets.js';
import { openingError, readFacts, type MediaLimits } from '../../media/video/probe.js';
import { agrees } from '../../media/video/sample-table.js';
import { ToolError } from '../../tools/tool-error.js';
import type { ToolResult } from '../../tools/tools.js';
import type { ActivityContext } from '../context.js';
import type { ActivityScope } from '../scope.js';
import { openMovie } from './movie-source.js';
import { probeLimits } from './tool-bounds.js';
import { withSlice, withSource } from './with-source.js';

type Needs = Pick<ActivityContext, 'config' | 'store' | 'scratch' | 'tools'>;
type Scope = Pick<ActivityScope, 'signal' | 'report' | 'logger'>;

const INPUT = [...SAFE_INPUT, '-i', SOURCE_FILE];

const limitsOf = ({ limits }: ActivityContext['config']): MediaLimits => ({
  maxSeconds: limits.maxVideoHours * 3600,
  maxSidePx: limits.maxSidePx,
});

const CERTAIN = new Set<ErrorCode>(['LIMIT_DURATION', 'LIMIT_SIDE', 'ENCRYPTED']);

/**
 * From the index of an MP4 or MOV and its first frames: the time it takes does not depend on its length.
 *
 * @returns undefined for every other source, and for whatever is unusual
 * @throws LIMIT_DURATION, LIMIT_SIDE, ENCRYPTED
 */
export async function probeMovie(
  context: Needs,
  scope: Scope,
  job: Job,
  bytes: number,
): Promise<VideoFacts | undefined> {
  const movie = await openMovie(context, job.source, bytes, scope.signal);
  if (!movie || endOfSamples(movie.tracks) > bytes) return undefined;
  return withSlice(context, scope, job, 'inspect', movie.opening, async (dir) => {
    scope.report({ step: 'inspect', what: SOURCE_FILE, percent: 50 });
    const header = await orElse(readHeader(context, scope, dir), () => undefined);
    if (!header) return undefined;
    const report = JSON.parse(header.stdout) as FfprobeReport;
    if (!agrees(movie.tracks, report)) return undefined;
    const { from, to } = movie.moov;
    const index = { moovOffset: from, moovBytes: to - from };
    try {
      return readFacts({ report, spans: spansOf(movie.tracks), warnings: '', index }, limitsOf(context.config));
    } catch (error) {
      // What speaks against the bytes is for those who have read all of them.
      if (MediaError.is(error) && !CERTAIN.has(error.code)) return undefined;
      throw error;
    }
  });
}

/** @throws what `readFacts` and `openingError` say */
export async function probeWhole(context: Needs, scope: Scope, job: Job): Promise<VideoFacts> {
  return withSource(context, scope, job, 'inspect', async (dir) => {
    scope.report({ step: 'inspect', what: SOURCE_FILE, percent: 0 });
    const header = await orElse(readHeader(context, scope, dir), ({ stderr }): never => {
      throw openingError(stderr);
    });
    scope.report({ step: 'inspect', what: 'packets', percent: 10 });
    const meter = new PacketMeter();
    const args = ['-show_entries', PACKET_ENTRIES, '-of', 'csv=p=0', ...INPUT];
    // What could be read before the damage counts; whether it suffices is for readFacts to say.
    const { stderr: warnings } = await orElse(
      context.tools.ffprobe({ ...runOf(context, scope, dir), args, onLine: (line) => meter.add(line) }),
      (error) => error,
    );
    const report = JSON.parse(header.stdout) as FfprobeReport;
    return readFacts({ report, spans: meter.spans(), warnings }, limitsOf(context.config));
  });
}

const runOf = ({ config }: Needs, { signal }: Scope, dir: string) => ({
  scratch: dir,
  readOnlyFiles: [SOURCE_FILE],
  limits: probeLimits(config),
  signal,
});

const readHeader = (context: Needs, scope: Scope, dir: string): Promise<ToolResult> =>
  context.tools.ffprobe({
    ...runOf(context, scope, dir),
    args: ['-show_streams', '-show_format', '-of', 'json', ...INPUT],
  });

/** @param judge what a plain non-zero exit means; every other error passes */
async function orElse<T, U>(run: Promise<T>, judge: (error: ToolError) => U): Promise<T | U> {
  try {
    return await run;
  } catch (error) {
    if (ToolError.is(error)) return judge(error);
    throw error;
  }
}
