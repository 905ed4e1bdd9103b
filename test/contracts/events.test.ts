import fc from 'fast-check';
import { parseEvent, REFUSALS, type EventSettings } from '../../src/contracts/events.js';
import { hintsOfMetadata } from '../../src/contracts/object-hints.js';

const settings: EventSettings = {
  uploadsBucket: 'uploads',
  uploadsPrefix: 'in/',
  mediaBucket: 'media',
  maxEventBytes: 4096,
};
const bytes = (text: string): Buffer => Buffer.from(text);
const parse = (key: string | null, value: string | object | null, over: Partial<EventSettings> = {}) =>
  parseEvent(
    key === null ? null : bytes(key),
    value === null ? null : bytes(typeof value === 'string' ? value : JSON.stringify(value)),
    { ...settings, ...over },
  );
const refusal = (parsed: ReturnType<typeof parse>) => (parsed.ok ? 'accepted' : parsed.reason);

const record = (key: string, over: { eventName?: string; bucket?: string } = {}) => ({
  eventVersion: '2.0',
  eventSource: 'minio:s3',
  eventName: over.eventName ?? 's3:ObjectCreated:Put',
  s3: {
    bucket: { name: over.bucket ?? 'uploads', arn: 'arn:aws:s3:::uploads' },
    object: {
      key,
      size: 5,
      eTag: 'abc',
      contentType: 'video/mp4',
      userMetadata: { 'content-type': 'video/mp4' },
      sequencer: '17',
    },
  },
});
const notification = (...records: object[]) => ({
  EventName: 's3:ObjectCreated:Put',
  Key: 'uploads/x',
  Records: records,
});
const cloud = (data: object, over: object = {}) => ({
  specversion: '1.0',
  id: '1',
  source: '/t',
  type: 'upload',
  data,
  ...over,
});

describe('bucket notifications', () => {
  test('as MinIO sends them: a plus is a space, the rest is percent-decoded', () => {
    expect(parse('uploads/in/x', notification(record('in%2Fa+b%2Bc%C3%BC.mp4')))).toEqual({
      ok: true,
      uploads: [
        { bucket: 'uploads', key: 'in/a b+cü.mp4', versionId: undefined, etag: 'abc', contentType: 'video/mp4' },
      ],
    });
  });

  test('as AWS names them, without `s3:`', () => {
    expect(
      parse(null, notification(record('in/a.mp4', { eventName: 'ObjectCreated:CompleteMultipartUpload' }))).uploads,
    ).toHaveLength(1);
  });

  test.each([
    ['a removal', notification(record('in/a', { eventName: 's3:ObjectRemoved:Delete' }))],
    ['a test event in a record', notification(record('in/a', { eventName: 's3:TestEvent' }))],
    ['the test event of AWS', { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'uploads' }],
    ['another prefix', notification(record('out/a.mp4'))],
    ['our own outputs', notification(record('in/a.mp4', { bucket: 'media' }))],
    ['no records', notification()],
  ])('%s is ignored, not poison', (_name, value) => {
    expect(parse(null, value)).toEqual({ ok: true, uploads: [] });
  });

  test('one bad record does not hide the good ones', () => {
    const parsed = parse(null, notification(record('in/dir/'), record('in/a.mp4'), record('in/%zz')));
    expect(parsed).toMatchObject({ ok: false, reason: 'OBJECT_IS_DIRECTORY', uploads: [{ key: 'in/a.mp4' }] });
  });

  test.each([
    ['EVENT_INVALID', { Records: {} }],
    ['EVENT_INVALID', { Records: [1] }],
    ['EVENT_INVALID', { Records: [{ eventName: 's3:ObjectCreated:Put', s3: {} }] }],
    ['EVENT_INVALID', notification(record('in/%ff'))],
    ['EVENT_INVALID', notification(record('in/a', { bucket: '../etc' }))],
    ['OBJECT_KEY_INVALID', notification(record('in/../a'))],
    ['OBJECT_KEY_INVALID', notification(record('in/%00'))],
  ])('%s: %j', (reason, value) => expect(refusal(parse(null, value))).toBe(reason));
});

describe('CloudEvents', () => {
  test('all fields, unknown ones tolerated', () => {
    const data = {
      bucket: 'uploads',
      key: 'in/a.mp4',
      versionId: 'v1',
      etag: '"e1"',
      contentType: 'video/mp4',
      tenant: 'acme',
      profile: 'web',
      priority: 1,
      publishBy: '2026-11-21T10:00:00Z',
      publicationTimeout: 90,
      publishNotBefore: '2026-11-21T08:00:00+01:00',
      metadata: { title: 'ü' },
    };
    expect(parse('any', cloud({ ...data, colour: 'red' }, { time: 1, extension: {} }))).toEqual({
      ok: true,
      uploads: [{ ...data, etag: 'e1' }],
    });
  });

  test.each([
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a' }, { specversion: '0.3' })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a' }, { id: '' })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads' })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 7 })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', priority: 6 })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', priority: '1' })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', tenant: '../x' })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', profile: 'a b' })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', publishBy: '2026-99-99T10:00:00Z' })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', publishBy: '2026-11-21T10:00:00' })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', publicationTimeout: -1 })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', publicationTimeout: 1e9 })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', publicationTimeout: '30' })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', publishNotBefore: 'later' })],
    [
      'EVENT_INVALID',
      cloud({
        ...{ bucket: 'uploads', key: 'in/a' },
        ...{ publishBy: '2026-11-21T10:00:00Z', publishNotBefore: '2026-11-21T10:00:01Z' },
      }),
    ],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', metadata: { n: 1 } })],
    ['EVENT_INVALID', cloud({ bucket: 'uploads', key: 'in/a', metadata: { n: 'ü'.repeat(2100) } }, { pad: '' })],
    ['BUCKET_REFUSED', cloud({ bucket: 'media', key: 'in/a' })],
    ['KEY_OUTSIDE_PREFIX', cloud({ bucket: 'uploads', key: 'a' })],
    ['OBJECT_IS_DIRECTORY', cloud({ bucket: 'uploads', key: 'in/a/' })],
  ])('%s: %j', (reason, value) => expect(refusal(parse(null, value, { maxEventBytes: 10_000 }))).toBe(reason));

  test('the detail names the field', () => {
    expect(parse(null, cloud({ bucket: 'uploads', key: 'in/a', priority: 'x' }))).toMatchObject({
      detail: 'data.priority must be integer',
    });
  });
});

describe('the short form', () => {
  const upload = { bucket: 'uploads', key: 'in/a b.mp4', contentType: 'video/mp4' };

  test('key and value', () => expect(parse('video/mp4', 'a b.mp4')).toEqual({ ok: true, uploads: [upload] }));
  test('as JSON', () =>
    expect(parse(null, { key: 'video/mp4', body: 'a b.mp4' })).toEqual({ ok: true, uploads: [upload] }));
  test('names are taken as they are', () => {
    for (const name of ['-rf.mp4', '#?%41.mp4', '"\'.mp4', '🎬.mp4', '..mp4', 'a/b.mp4', '[1]'])
      expect(parse('video/mp4', name)).toMatchObject({ ok: true, uploads: [{ key: `in/${name}` }] });
  });

  test.each(['../a.mp4', 'a/../../b', '/etc/passwd', 'a\\b', 'a\0b', 'a\nb', '\u0085', '.', ' ', 'x'.repeat(1022)])(
    'refuses the file name %j',
    (name) => {
      expect(refusal(parse('video/mp4', name))).toBe('OBJECT_KEY_INVALID');
      expect(refusal(parse(null, { key: 'video/mp4', body: name }))).toBe('OBJECT_KEY_INVALID');
    },
  );

  test('refuses a directory and a key that is no content type', () => {
    expect(refusal(parse('video/mp4', 'a/'))).toBe('OBJECT_IS_DIRECTORY');
    expect(refusal(parse(null, { key: 'mp4', body: 'a.mp4' }))).toBe('EVENT_INVALID');
    expect(refusal(parse(null, { key: 'video/mp4', body: 1 }))).toBe('EVENT_INVALID');
  });
});

describe('everything else', () => {
  test.each([
    ['EVENT_EMPTY', null, null],
    ['EVENT_EMPTY', 'video/mp4', ''],
    ['EVENT_NOT_JSON', null, 'hello'],
    ['EVENT_NOT_JSON', 'clip', 'a.mp4'],
    ['EVENT_NOT_JSON', 'video/mp4', '{"Records": ['],
    ['EVENT_UNKNOWN_FORM', null, '[]'],
    ['EVENT_UNKNOWN_FORM', null, '"text"'],
    ['EVENT_UNKNOWN_FORM', null, 'null'],
    ['EVENT_UNKNOWN_FORM', null, '{"hello": "world"}'],
    ['EVENT_TOO_LARGE', null, 'x'.repeat(5000)],
  ])('%s for key %j and value %.20j', (reason, key, value) => expect(refusal(parse(key, value))).toBe(reason));

  test('bytes that are not UTF-8', () =>
    expect(refusal(parseEvent(null, Buffer.from([0xff, 0xfe]), settings))).toBe('EVENT_NOT_JSON'));
});

describe('properties', () => {
  const reasons = Object.keys(REFUSALS);
  const check = (parsed: ReturnType<typeof parse>): void => {
    if (!parsed.ok) expect(reasons).toContain(parsed.reason);
    for (const { key, bucket } of parsed.uploads) {
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024);
      expect(key.split('/')).not.toContain('..');
      expect(key).not.toMatch(/\0|\/$|^$/);
      expect(bucket).not.toBe('media');
    }
  };

  test('never throws on any bytes', () => {
    const anyBytes = fc.option(fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(anyBytes, anyBytes, (key, value) => check(parseEvent(key, value, settings))),
      { numRuns: 2000 },
    );
  });

  test('never throws on any JSON, and never names a path that climbs', () => {
    const form = fc.oneof(
      fc.jsonValue(),
      fc.record({ key: fc.constantFrom('video/mp4', 'x'), body: fc.string({ unit: 'binary' }) }),
      fc.record({
        Records: fc.array(
          fc.record({
            eventName: fc.constant('s3:ObjectCreated:Put'),
            s3: fc.record({
              bucket: fc.record({ name: fc.constantFrom('uploads', 'other-1') }),
              object: fc.record({ key: fc.oneof(fc.webPath(), fc.string()) }),
            }),
          }),
        ),
      }),
      fc.record({
        specversion: fc.constant('1.0'),
        id: fc.string(),
        source: fc.string(),
        type: fc.string(),
        data: fc.record({
          bucket: fc.constant('uploads'),
          key: fc.string({ unit: 'binary' }).map((key) => `in/${key}`),
        }),
      }),
    );
    fc.assert(
      fc.property(form, (value) => check(parse(null, JSON.stringify(value)))),
      { numRuns: 2000 },
    );
  });

  test('a notification names the very key that was uploaded', () => {
    const key = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 200 })
      .filter((k) => !k.endsWith('/') && !k.includes('\0') && !/(^|\/)\.\.?(\/|$)/.test(k));
    fc.assert(
      fc.property(key, (name) => {
        // Go's url.QueryEscape, which MinIO uses.
        const encoded = encodeURIComponent(`in/${name}`)
          .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
          .replaceAll('%20', '+');
        const parsed = parse(null, notification(record(encoded)));
        expect(parsed.uploads.map((upload) => upload.key)).toEqual([`in/${name}`]);
      }),
    );
  });
});

test('hints in object metadata', () => {
  expect(hintsOfMetadata({ 'mediamill-tenant': 'acme', 'mediamill-priority': '2', title: 'x' })).toEqual({
    ok: true,
    hints: { tenant: 'acme', priority: 2, metadata: { title: 'x' } },
  });
  expect(hintsOfMetadata({})).toEqual({ ok: true, hints: { metadata: undefined } });
  expect(hintsOfMetadata({ 'mediamill-priority': 'high' })).toMatchObject({ ok: false });
  expect(hintsOfMetadata({ 'mediamill-tenant': 'a/b' })).toMatchObject({ ok: false });
});

test('deadlines in object metadata', () => {
  const times = { publishBy: '2026-11-21T10:00:00Z', publishNotBefore: '2026-11-21T09:00:00Z' };
  const said = {
    'mediamill-publish-by': times.publishBy,
    'mediamill-publication-timeout': '2.5',
    'mediamill-publish-not-before': times.publishNotBefore,
  };
  expect(hintsOfMetadata(said)).toEqual({
    ok: true,
    hints: { ...times, publicationTimeout: 2.5, metadata: undefined },
  });
  expect(hintsOfMetadata({ 'mediamill-publication-timeout': 'soon' })).toMatchObject({ ok: false });
  expect(hintsOfMetadata({ ...said, 'mediamill-publish-not-before': '2026-11-21T11:00:00Z' })).toEqual({
    ok: false,
    detail: 'object metadata: publishNotBefore must not be later than publishBy',
  });
});
