/** From an upload to a plan: what the bytes are, and what will be made of them. */
import { join } from 'node:path';

import type { Inspection } from '../../contracts/activities.js';
import type { Job } from '../../contracts/assets.js';
import type { VideoFacts } from '../../contracts/plan.js';
import { sniff, SNIFF_BYTES } from '../../media/sniff.js';
import { SOURCE_FILE } from '../../media/video/encode-args.js';
import { SAFE_INPUT } from '../../media/video/ffmpeg-input.js';
import type { FfprobeReport } from '../../media/video/ffprobe-report.js';
import { PACKET_ENTRIES, PacketMeter } from '../../media/video/packets.js';
import { planVideo } from '../../media/video/plan.js';
import { openingError, readFacts } from '../../media/video/probe.js';
import { ToolError } from '../../tools/tool-error.js';
import type { Tools } from '../../tools/tools.js';
import { announceState } from '../announce.js';
import type { ActivityContext } from '../context.js';
import { activity, type ActivityScope } from '../scope.js';
import { readHead } from '../untrusted-file.js';
import { probeLimits } from './tool-bounds.js';
import { withSource } from './with-source.js';

export function createInspectMedia(context: ActivityContext) {
  const { config, logger } = context;
  return activity(logger, async (scope, job: Job): Promise<Inspection> => {
    const facts = await withSource(context, scope, job, 'inspect', async (dir) => {
      scope.report({ step: 'inspect', what: SOURCE_FILE, percent: 0 });
      const { kind } = await sniff(await readHead(join(dir, SOURCE_FILE), SNIFF_BYTES));
      return kind === 'image' ? undefined : probe(context, scope, dir);
    });
    if (!facts) return { outcome: 'image' };
    const plan = planVideo(facts, config.video);
    await announceState(context, job, { to: 'processing', by: scope.info.activityType, kind: plan.kind });
    scope.logger.info('media inspected', { assetId: job.assetId, facts });
    return { outcome: 'media', plan };
  });
}

/** @throws what `readFacts` and `openingError` say */
async function probe(
  { config, tools }: { config: ActivityContext['config']; tools: Pick<Tools, 'ffprobe'> },
  { signal, report }: Pick<ActivityScope, 'signal' | 'report'>,
  dir: string,
): Promise<VideoFacts> {
  const limits = probeLimits(config);
  const run = { scratch: dir, readOnlyFiles: [SOURCE_FILE], limits, signal };
  const input = [...SAFE_INPUT, '-i', SOURCE_FILE];
  const header = await orElse(
    tools.ffprobe({ ...run, args: ['-show_streams', '-show_format', '-of', 'json', ...input] }),
    ({ stderr }) => {
      throw openingError(stderr);
    },
  );
  report({ step: 'inspect', what: 'packets', percent: 10 });
  const meter = new PacketMeter();
  const args = ['-show_entries', PACKET_ENTRIES, '-of', 'csv=p=0', ...input];
  // What could be read before the damage counts; whether it suffices is for readFacts to say.
  const { stderr: warnings } = await orElse(
    tools.ffprobe({ ...run, args, onLine: (line) => meter.add(line) }),
    (error) => error,
  );
  return readFacts(
    { report: JSON.parse(header.stdout) as FfprobeReport, spans: meter.spans(), warnings },
    { maxSeconds: config.limits.maxVideoHours * 3600, maxSidePx: config.limits.maxSidePx },
  );
}

/** @param judge what a plain non-zero exit means; every other error passes */
async function orElse<T, U>(run: Promise<T>, judge: (error: ToolError) => U): Promise<T | U> {
  try {
    return await run;
  } catch (error) {
    if (ToolError.is(error)) return judge(error);
    throw error;
  }
}
