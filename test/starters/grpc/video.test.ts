import { status } from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import { expect, it } from '@jest/globals';
import { PROBLEMS, ApiProblem, type ProblemName } from '../../../src/api/problems.js';
import type { Asset } from '../../../src/api/assets/schemas.js';
import { ASSET_STATES } from '../../../src/contracts/assets.js';
import { PACKAGE } from '../../../src/starters/grpc/definition.js';
import type { Progress, UploadVideoHeader, Video } from '../../../src/starters/grpc/messages.js';
import { statusOf } from '../../../src/starters/grpc/status.js';
import { durationOf, isoOf, timestampOf } from '../../../src/starters/grpc/time.js';
import { factsOf } from '../../../src/starters/grpc/upload.js';
import { progressOf, videoOf } from '../../../src/starters/grpc/video.js';
import { errorInfo } from '../../support/grpc.js';

/** What a client in the same language gets of what we send. */
function sent<T extends object>(name: string, message: T): T {
  const { serialize, deserialize } = PACKAGE[`mediamill.v1.${name}`] as unknown as MessageTypeDefinition<T, T>;
  return deserialize(serialize(message));
}

const rendition = (height: number, type = 'video') => ({
  ...{ name: type === 'video' ? `${height}p` : type, type, mime: 'application/vnd.apple.mpegurl' },
  ...{
    url: `http://here/${height}`,
    width: (height * 16) / 9,
    height,
    codecs: 'avc1.64001f',
    bitrate: 1.5,
    bytes: 6e9,
  },
});

const ASSET: Asset = {
  id: '0123456789abcdef01234567',
  kind: 'video',
  state: 'partial',
  title: 'Grüße',
  fileName: 'film.mov',
  tags: ['a', 'b'],
  metadata: { from: 'here' },
  profile: 'default',
  priority: 2,
  bytes: 7e9,
  duration: 12.5,
  contentType: 'video/quicktime',
  sha256: 'ab'.repeat(32),
  createdAt: '2026-11-21T18:00:00.250Z',
  updatedAt: '1969-12-31T23:59:59.500Z',
  playable: true,
  generation: 2,
  legalHold: true,
  error: { code: 'VERIFY_FAILED', message: 'No.' },
  renditions: [rendition(360), rendition(1080), rendition(90, 'poster')],
  missing: [{ name: '720p', error: { code: 'CANCELLED', message: 'So it was.' } }],
  playback: { hls: 'http://h', dash: 'http://d', poster: 'http://p', storyboard: 'http://s' },
};

it('sends every field of a record: none has a name that the protocol does not know', () => {
  const video = videoOf(ASSET, 7);
  const came = sent<Video>('Video', video);
  const { oneofs: _none, ...fields } = came as Video & { oneofs?: never };
  expect(fields).toEqual({
    ...video,
    state: 'VIDEO_STATE_PARTIAL',
    duration: { seconds: 12, nanos: 500_000_000 },
    createTime: { seconds: 1_795_284_000, nanos: 250_000_000 },
    updateTime: { seconds: -1, nanos: 500_000_000 },
    etag: '"r7"',
    deadline: null,
  });
  expect(came.variants.map(({ name, bitrate, bytes }) => [name, bitrate, bytes])).toEqual([
    ['1080p', 2, 6e9],
    ['360p', 2, 6e9],
  ]);
});

it.each(ASSET_STATES)('has the state %s', (state) => {
  const { state: name } = sent<Video>('Video', videoOf({ ...ASSET, state }, 1));
  expect(name).toBe(`VIDEO_STATE_${state.toUpperCase()}`);
});

it('shows sizes as they are done, beside those that are published already', () => {
  const parts = [
    ...[
      { name: '1080p', state: 'done' },
      { name: '720p', state: 'running' },
      { name: '480p', state: 'done' },
    ],
    ...[
      { name: '360p-hevc', state: 'done' },
      { name: 'audio-0', state: 'done' },
      { name: 'poster', state: 'done' },
    ],
  ];
  const progress = { percent: 40.5, stage: 'encoding', speed: 2.5, timeLeft: 7.25, parts };
  const growing = { ...ASSET, state: 'playable' as const, renditions: [], progress };
  const names = (asset: Asset) => sent<Video>('Video', videoOf(asset, 1)).variants.map(({ name }) => name);
  expect(names(growing)).toEqual(['1080p', '480p', '360p-hevc']);
  expect(names({ ...growing, renditions: ASSET.renditions })).toEqual(['1080p', '480p', '360p', '360p-hevc']);

  const came = sent<Progress>('Progress', progressOf(progress));
  expect(came).toMatchObject({ percent: 40.5, speed: 2.5, stage: 'encoding', timeLeft: { seconds: 7, nanos: 25e7 } });
  expect(came.parts.slice(0, 2)).toEqual([
    { name: '1080p', state: 'PART_STATE_DONE', error: null },
    { name: '720p', state: 'PART_STATE_RUNNING', error: null },
  ]);
});

it('takes a header for what it says, and nothing for what it leaves out', () => {
  const received = (header: Partial<UploadVideoHeader>) =>
    factsOf(sent<{ header: UploadVideoHeader }>('UploadVideoRequest', { header: header as UploadVideoHeader }).header);
  expect(received({})).toEqual({ kind: 'grpc', tags: [], metadata: {} });
  const all = { ...{ fileName: 'a.mp4', contentType: 'video/mp4', size: 0, sha256: 'AB', title: 't' } };
  const more = { tags: ['x'], metadata: { a: 'b' }, profile: 'p', priority: 5 };
  const times = {
    publishBy: timestampOf('2030-01-01T00:00:00.001Z'),
    publicationTimeout: durationOf(2.5)!,
    publishNotBefore: timestampOf('2029-12-31T00:00:00Z'),
  };
  expect(received({ ...all, ...more, ...times })).toEqual({
    ...{ ...all, ...more, kind: 'grpc', sha256: 'ab' },
    ...{ publishBy: '2030-01-01T00:00:00.001Z', publicationTimeout: 2.5 },
    publishNotBefore: '2029-12-31T00:00:00.000Z',
  });
});

it('says what becomes of a deadline, and nothing where there is none', () => {
  const deadline = {
    publishBy: '2030-01-01T00:00:00.000Z',
    state: 'at-risk' as const,
    projectedAt: '2030-01-01T00:00:01.500Z',
    slackSeconds: -1.5,
    measures: ['priority' as const],
  };
  expect(sent<Video>('Video', videoOf({ ...ASSET, deadline }, 1)).deadline).toEqual({
    publishBy: timestampOf(deadline.publishBy),
    publicationTimeout: null,
    notBefore: null,
    state: 'DEADLINE_STATE_AT_RISK',
    projectedAt: timestampOf(deadline.projectedAt),
    slack: { seconds: -1, nanos: -5e8 },
    measures: ['priority'],
  });
  expect(sent<Video>('Video', videoOf(ASSET, 1)).deadline).toBeNull();
});

it('knows the limits of time', () => {
  expect(isoOf(null)).toBeUndefined();
  expect(() => isoOf({ seconds: 1e15, nanos: 0 })).toThrow(ApiProblem);
  expect(durationOf(undefined)).toBeUndefined();
  expect(durationOf(0)).toEqual({ seconds: 0, nanos: 0 });
});

it('has a status for every problem, and says which it is', () => {
  const codes = Object.fromEntries(
    (Object.keys(PROBLEMS) as ProblemName[]).map((name) => {
      const told = statusOf(new ApiProblem(name, { detail: 'Why.', retryAfter: 3 }));
      expect(told.details).toBe(`${PROBLEMS[name][1]} Why.`);
      expect(errorInfo(told)).toEqual({
        reason: name.toUpperCase().replaceAll('-', '_'),
        domain: 'mediamill',
        metadata: {},
        retryAfter: 3,
      });
      return [name, told.code];
    }),
  );
  // Every name but the one that says so has a status that tells more than "something is broken here".
  const broken = Object.entries(codes).flatMap(([name, code]) => (status[code] === 'INTERNAL' ? [name] : []));
  expect(broken).toEqual(['internal']);
  expect(codes).toMatchObject({
    unauthorized: 16,
    forbidden: 7,
    'asset-unknown': 5,
    'quota-exceeded': 8,
    unavailable: 14,
  });
  const { error } = { error: { code: 'DAMAGED_FILE' as const, message: 'It is.' } };
  expect(errorInfo(statusOf(new ApiProblem('asset-failed', { error }))).metadata).toEqual(error);
});
