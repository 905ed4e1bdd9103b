/** The filter graph of a chunk: from whatever was decoded to BT.709 4:2:0 pictures on the grid, once per rung. */
import type { Grid, VideoFacts, VideoRung } from '../../contracts/plan.js';
import { toNumber } from './frame-rate.js';

type VideoStream = NonNullable<VideoFacts['video']>;

export interface GraphInput {
  readonly video: VideoStream;
  readonly grid: Grid;
  readonly rungs: readonly VideoRung[];
  /** Frames to make. */
  readonly frames: number;
  /** Frames between where the input was sought to and the first frame wanted. */
  readonly leadFrames: number;
  /** Frame of this run that becomes the poster. */
  readonly posterFrame?: number | undefined;
}

export const POSTER_PAD = 'poster';
export const padOf = (rung: VideoRung): string => `v${rung.name}`;

/** Rotation needs no filter of ours: ffmpeg turns and flips by the display matrix before the graph. */
export function filterGraph(input: GraphInput): string {
  const { video, rungs, posterFrame } = input;
  const pads = [...rungs.map(padOf), ...(posterFrame === undefined ? [] : [POSTER_PAD])];
  const shared = [...(video.interlaced ? ['yadif'] : []), ...onGrid(input), ...toSdr(video, rungs[0]!)];
  const branches = [
    ...rungs.map((rung) => `[s${padOf(rung)}]${scaled(video, rung)},format=yuv420p,setsar=1[${padOf(rung)}]`),
    ...(posterFrame === undefined
      ? []
      : [
          `[s${POSTER_PAD}]select=eq(n\\,${posterFrame}),${scaled(video, rungs[0]!)},format=rgb24,setsar=1[${POSTER_PAD}]`,
        ]),
  ];
  const split = `split=${pads.length}${pads.map((pad) => `[s${pad}]`).join('')}`;
  return [`[0:${video.streamIndex}]${[...shared, split].join(',')}`, ...branches].join(';');
}

/**
 * The constant rate, exactly on the global grid wherever the run starts: frame 0 of the run is at
 * time 0, what lies before is dropped, a hold of the last frame is filled up.
 */
function onGrid({ video, grid, frames, leadFrames }: GraphInput): string[] {
  const { num, den } = grid.fps;
  const hold = Math.max(2, Math.ceil(toNumber(grid.fps) / video.frameRate) + 1);
  return [
    ...(leadFrames > 0 ? [`setpts=PTS-${leadFrames * den}/${num}/TB`] : []),
    `fps=fps=${num}/${den}:start_time=0:round=near`,
    `tpad=stop_mode=clone:stop=${hold}`,
    `trim=end_frame=${frames}`,
  ];
}

const HDR_TRANSFERS = new Set(['smpte2084', 'arib-std-b67']);
export const isHdr = (video: VideoStream): boolean => HDR_TRANSFERS.has(video.transfer ?? '');
const isWideGamut = (video: VideoStream): boolean =>
  video.primaries === 'bt2020' || (video.matrix ?? '').startsWith('bt2020');

/** HDR and wide gamut: down to the size of the top rung first, because linear light in floats is dear. */
function toSdr(video: VideoStream, top: VideoRung): string[] {
  if (!isHdr(video) && !isWideGamut(video)) return [];
  const from = [
    `tin=${isHdr(video) ? video.transfer : '2020_10'}`,
    `pin=${video.primaries ?? 'bt2020'}`,
    `min=${video.matrix?.startsWith('bt2020') ? '2020_ncl' : '709'}`,
  ];
  const size = `w=${top.width}:h=${top.height}`;
  const to = 'p=bt709:t=bt709:m=bt709:r=tv';
  if (!isHdr(video)) return [`zscale=${[size, ...from, to].join(':')}`];
  return [
    `zscale=${[size, ...from, 't=linear', 'npl=100'].join(':')}`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    'tonemap=hable:desat=0',
    `zscale=${to}`,
  ];
}

/** swscale takes an untagged picture for BT.601; HD pictures without a tag are BT.709 as good as always. */
function scaled(video: VideoStream, { width, height }: VideoRung): string {
  const untaggedHd = !video.matrix && Math.min(video.width, video.height) >= 720;
  const matrix = [...(untaggedHd ? ['in_color_matrix=bt709'] : []), 'out_color_matrix=bt709', 'out_range=tv'];
  return `scale=${[`w=${width}`, `h=${height}`, 'flags=bicubic', ...matrix].join(':')}`;
}
