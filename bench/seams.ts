/**
 * `npm run bench:seams`: whether chunks show. The number of frames of every rung; the likeness to the source around
 * the borders of chunks, against the same video encoded in one piece; and how far sound and picture have moved apart
 * at the end of a long video.
 *
 * Aims: every frame; within 0.005 of SSIM; at most one frame. `BENCH_SECONDS`,
 * `BENCH_HEIGHT`, `BENCH_DRIFT_SECONDS`: the films.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { chunksOf, type VideoPlan } from '../src/contracts/plan.js';
import { boxesIn } from '../src/media/video/boxes.js';
import { readFragment, readInit } from '../src/media/video/mp4.js';
import { table } from '../src/starters/cli/format.js';
import { withSession, type Session } from '../src/starters/cli/session.js';
import { ffmpeg, makeFilm } from './support/film.js';
import { setting } from './support/numbers.js';
import { planOf, publish, type Published } from './support/publish.js';
import { fetchStream } from './support/renditions.js';
import { mean, ssimOfFrames } from './support/ssim.js';
import { withBenchStack } from './support/stack.js';

const SECONDS = setting('BENCH_SECONDS', 60);
const DRIFT_SECONDS = setting('BENCH_DRIFT_SECONDS', 600);
const HEIGHT = setting('BENCH_HEIGHT', 720);
const FPS = 30;
/** Frames on both sides of a border. */
const AROUND = 15;

/** Short chunks make many borders; everything else is as shipped. */
const PROFILES = { chunked: 'chunkSegments: 2', whole: 'chunkSegments: 0' };

const run = promisify(execFile);

async function borders(session: Session, dir: string): Promise<void> {
  const film = await makeFilm(join(dir, 'film.mp4'), {
    ...{ seconds: SECONDS, width: Math.round((HEIGHT * 16) / 18) * 2, height: HEIGHT },
  });
  const [chunked, whole] = [
    await publish(session, film, { profile: 'chunked' }),
    await publish(session, film, { profile: 'whole' }),
  ];
  const plan = await planOf(session, chunked.upload);
  const rows = [['RUNG', 'FRAMES', 'EXPECTED', 'SSIM AT BORDERS', 'IN ONE PIECE', 'DIFFERENCE', 'WORST BORDER']];
  for (const rung of plan.rungs) {
    const [a, b] = await Promise.all(
      [chunked, whole].map(async (one, i) => {
        const path = await fetchStream(renditionOf(one, rung.name), join(dir, `${rung.name}-${i}.mp4`));
        return ssimOfFrames(path, film, { width: rung.width, height: rung.height });
      }),
    );
    const near = bordersOf(plan).map((border) => {
      const frames = (values: readonly number[]): number => mean(values.slice(border - AROUND, border + AROUND));
      return { chunked: frames(a!), whole: frames(b!) };
    });
    const [ours, theirs] = [mean(near.map((one) => one.chunked)), mean(near.map((one) => one.whole))];
    const worst = Math.min(...near.map((one) => one.chunked - one.whole));
    const cells = [ours, theirs, ours - theirs, worst].map((value) => value.toFixed(4));
    rows.push([rung.name, `${a!.length}`, `${SECONDS * FPS}`, ...cells]);
  }
  console.log(
    `${SECONDS} s of ${HEIGHT}p30, ${bordersOf(plan).length} borders, ${AROUND} frames on both sides\n${table(rows)}`,
  );
  console.log('aims: all frames; worst border not more than 0.005 below one piece\n');
}

const renditionOf = ({ document }: Published, name: string) => {
  const found = document.renditions.find((one) => one.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};

/** First frames of all chunks but the first. */
const bordersOf = (plan: VideoPlan): number[] =>
  chunksOf(plan)
    .slice(1)
    .map(({ firstSegment }) => firstSegment * plan.grid!.segmentFrames);

/** Every ten seconds, from the fifth on, one white frame, and a beep that begins with it. */
const SIGNAL_SECONDS = 10;
const SIGNAL = `mod(t+${SIGNAL_SECONDS / 2},${SIGNAL_SECONDS})`;

async function drift(session: Session, dir: string): Promise<void> {
  const source = join(dir, 'drift.mp4');
  const flash = `lt(${SIGNAL},${0.9 / FPS})`;
  const beep = `if(lt(${SIGNAL},0.1),sin(2*PI*1000*t),0)`;
  await ffmpeg([
    ...['-f', 'lavfi', '-i', `color=black:size=320x180:rate=${FPS},drawbox=color=white:t=fill:enable='${flash}'`],
    ...['-f', 'lavfi', '-i', `aevalsrc='${beep}':s=48000`, '-t', `${DRIFT_SECONDS}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '60', '-c:a', 'aac', '-movflags', '+faststart', source],
  ]);
  const published = await publish(session, source);
  const plan = await planOf(session, published.upload);
  const video = await fetchStream(renditionOf(published, plan.rungs[0]!.name), join(dir, 'drift-video.mp4'));
  const audio = await fetchStream(renditionOf(published, plan.audio[0]!.name), join(dir, 'drift-audio.mp4'));
  const frameMs = 1000 / FPS;
  const [before, after] = [await offsets(source, source), await offsets(video, audio)];
  const rows = [
    ['', 'SIGNALS', 'FIRST ms', 'LAST ms', 'DRIFT ms'],
    ...[
      ['source', before],
      ['published', after],
    ].map(([name, all]) => {
      const values = all as number[];
      const [first, last] = [values[0]!, values.at(-1)!];
      return [name as string, `${values.length}`, first.toFixed(1), last.toFixed(1), (last - first).toFixed(1)];
    }),
  ];
  const apart = Math.max(...after.map((value, i) => Math.abs(value - before[i]!)));
  console.log(`${DRIFT_SECONDS} s: sound behind picture\n${table(rows)}`);
  console.log(`furthest from the source: ${apart.toFixed(1)} ms (aim <= one frame, ${frameMs.toFixed(1)} ms)`);
}

/** Of every signal: by how much the beep begins after the flash, milliseconds. */
async function offsets(video: string, audio: string): Promise<number[]> {
  const [flashes, beeps] = [await flashTimes(video), await beepTimes(audio)];
  if (flashes.length !== beeps.length) throw new Error(`${flashes.length} flashes, ${beeps.length} beeps`);
  return flashes.map((flash, i) => (beeps[i]! - flash) * 1000);
}

async function flashTimes(path: string): Promise<number[]> {
  const frames = await decode(path, ['-map', '0:v', '-vf', 'scale=1:1', '-pix_fmt', 'gray', '-f', 'rawvideo']);
  const start = await startOf(path, 'v');
  return onsets([...frames].map((value) => value > 128)).map((frame) => start + frame / FPS);
}

const RATE = 48_000;

async function beepTimes(path: string): Promise<number[]> {
  const bytes = await decode(path, ['-map', '0:a', '-ac', '1', '-ar', `${RATE}`, '-f', 's16le']);
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const start = await startOf(path, 'a');
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  // A tone passes through zero: it lasts until nothing has been loud for a while.
  const found: number[] = [];
  let loudAt = -Infinity;
  for (let i = 0; i < samples.length; i++) {
    if (Math.abs(samples[i]!) < peak / 4) continue;
    if (i - loudAt > RATE) found.push(start + i / RATE);
    loudAt = i;
  }
  return found;
}

const onsets = (high: readonly boolean[]): number[] => high.flatMap((value, i) => (value && !high[i - 1] ? [i] : []));

async function decode(path: string, args: readonly string[]): Promise<Buffer> {
  const { stdout } = await run('ffmpeg', ['-nostdin', '-v', 'error', '-i', path, ...args, 'pipe:1'], {
    encoding: 'buffer',
    maxBuffer: 1 << 30,
  });
  return stdout;
}

/** Where the first sample that a player hears or sees lies in time: decoding to raw bytes forgets it. Seconds. */
async function startOf(path: string, stream: 'v' | 'a'): Promise<number> {
  const ours = fragmentStart(await readFile(path));
  if (ours !== undefined) return ours;
  const show = ['-show_entries', 'frame=best_effort_timestamp_time', '-read_intervals', '%+#9', '-of', 'csv=p=0'];
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', `${stream}:0`, ...show, path]);
  // A decoder may swallow the first packets.
  return Number(/[\d.]+/.exec(stdout)?.[0]);
}

/**
 * Of a published stream, as ISO/IEC 14496-12 has it: decoding time plus the (signed) composition offset, which is
 * what browsers and televisions present. ffmpeg adds the largest negative offset to all times of a track instead.
 */
function fragmentStart(bytes: Buffer): number | undefined {
  const boxes = boxesIn(bytes);
  const first = boxes.findIndex(({ type }) => type === 'moof');
  if (first < 0) return undefined;
  const init = bytes.subarray(0, boxes[first]!.start);
  return readFragment(bytes.subarray(boxes[first]!.start, boxes[first + 1]!.end)).start / readInit(init).timescale;
}

const profiles = await mkdtemp(join(tmpdir(), 'mediamill-profiles-'));
for (const [name, line] of Object.entries(PROFILES)) {
  await writeFile(join(profiles, `${name}.yaml`), `extends: default\ndescription: For a measurement.\n${line}\n`);
}
await withBenchStack(
  async ({ config, dir }) => {
    await withSession(config, async (session) => {
      await borders(session, dir);
      await drift(session, dir);
    });
  },
  { profiles: { dir: profiles } },
).finally(() => rm(profiles, { recursive: true }));
