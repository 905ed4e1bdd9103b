import { DEFAULT_QUEUES } from '../../src/contracts/names.js';
import { jobOf } from '../../src/starters/kafka/admit.js';
import { guessKind, planStart } from '../../src/client/start.js';

const stat = { bytes: 5, etag: 'e1', modifiedAt: new Date(0), metadata: { 'mediamill-tenant': 'acme', title: 'x' } };
const defaults = { tenant: 'default', profile: 'default' };
const jobFrom = (upload: object, over: object = {}) => {
  const admission = jobOf(
    { bucket: 'uploads', key: 'a/clip.mp4', ...upload },
    { ...stat, ...over },
    undefined,
    defaults,
  );
  if (admission.outcome !== 'admitted') throw new Error(admission.reason);
  return admission.job;
};

test.each([
  ['video/mp4', 'x.png', 'video'],
  ['image/svg+xml', 'x', 'image'],
  ['application/pdf', 'x', 'image'],
  ['application/octet-stream', 'a.PSD', 'image'],
  [undefined, 'a.heic', 'image'],
  [undefined, 'a.jxl', 'image'],
  [undefined, 'a.avif', 'image'],
  [undefined, 'a.tiff', 'image'],
  [undefined, 'a.ico', 'image'],
  [undefined, 'a.bmp', 'image'],
  [undefined, 'a.mp3', 'audio'],
  ['audio/flac; rate=1', 'a', 'audio'],
  [undefined, 'png/noextension', 'video'],
])('content type %s, key %s: %s', (contentType, key, kind) => expect(guessKind(contentType, key)).toBe(kind));

test('the same object is the same job, whatever form its event had', () => {
  const id = jobFrom({}).workflowId;
  expect(id).toMatch(/^media\/uploads\/[0-9a-f]{16}\/e1$/);
  expect(jobFrom({ etag: 'stale', contentType: 'video/mp4', versionId: 'null' }).workflowId).toBe(id);
  expect(jobFrom({}, { etag: 'e2' }).workflowId).not.toBe(id);
});

test('the event outranks the object, the object the defaults', () => {
  expect(jobFrom({})).toMatchObject({ tenant: 'acme', profile: 'default', priority: 3, metadata: { title: 'x' } });
  expect(jobFrom({ tenant: 'own', priority: 1 })).toMatchObject({ tenant: 'own', priority: 1 });
});

test('hints that can not be right are refused', () => {
  const bad = { ...stat, metadata: { 'mediamill-priority': '9' } };
  expect(jobOf({ bucket: 'uploads', key: 'a' }, bad, undefined, defaults)).toMatchObject({
    outcome: 'refused',
    reason: 'EVENT_INVALID',
  });
});

test('the plan of a start', () => {
  const job = jobFrom({ key: `dir/${'ü'.repeat(80)}.jpeg` });
  const { workflowType, options } = planStart(job, undefined, DEFAULT_QUEUES);
  expect(workflowType).toBe('processImage');
  expect(options).toMatchObject({
    workflowId: job.workflowId,
    taskQueue: 'media',
    args: [job, DEFAULT_QUEUES],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: `image · ${'ü'.repeat(47)}…${'ü'.repeat(7)}.jpeg`,
    priority: { priorityKey: 3, fairnessKey: 'acme' },
  });
});
