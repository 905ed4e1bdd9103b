import { ingestFieldsTable, itemOf, parseIngestLine } from '../../src/contracts/ingest-line.js';
import { isHopeless, nextInLine, startByOf } from '../../src/contracts/ingest.js';

const line = (fields: object) => parseIngestLine(JSON.stringify(fields));

describe('a line', () => {
  test.each([
    [{ encodingTime: 3 }],
    [{ encodingTime: 0, publicationTimeout: 0.5 }],
    [{ id: 'clip:1', encodingTime: 2, publishBy: '2020-01-01T00:00:00Z' }],
    [{ file: 'clips/a.mp4', profile: 'default', priority: 1, metadata: { desk: 'sports' } }],
    [{ file: 'a.mp4', publishNotBefore: '2030-01-01T00:00:00Z', publishBy: '2030-01-01T00:00:00+00:00' }],
  ])('%j is good, be its deadline in the past', (fields) => {
    expect(line(fields)).toEqual({ ok: true, line: fields });
  });

  test.each([
    ['{"encodingTime": 3', 'not JSON'],
    ['NaN', 'not JSON'],
    ['[]', 'not an object'],
    ['null', 'not an object'],
    ['{}', 'either file or encodingTime is needed'],
    ['{"file":"a.mp4","encodingTime":1}', 'either file or encodingTime is needed'],
    ['{"encodingTime":-1}', 'encodingTime must be >= 0'],
    ['{"encodingTime":1e999}', 'encodingTime must be number'],
    ['{"encodingTime":86401}', 'encodingTime must be <= 86400'],
    ['{"encodingTime":"3"}', 'encodingTime must be number'],
    ['{"encodingTime":3,"publicationTimeout":0}', 'publicationTimeout must be > 0'],
    ['{"encodingTime":3,"publicationTimeout":1e12}', 'publicationTimeout must be <= 2592000'],
    ['{"encodingTime":3,"publishBy":"tomorrow"}', 'publishBy must be a date and time with a zone'],
    ['{"encodingTime":3,"publishBy":"2030-01-01T00:00:00"}', 'publishBy must be a date and time with a zone'],
    [
      '{"encodingTime":3,"publishBy":"2030-01-01T00:00:00Z","publishNotBefore":"2030-01-02T00:00:00Z"}',
      'publishNotBefore must not be later than publishBy',
    ],
    ['{"encodingTime":3,"publicationTimeot":4}', 'no such field: publicationTimeot'],
    ['{"id":"../x","encodingTime":3}', expect.stringContaining('id must match pattern')],
    ['{"encodingTime":3,"profile":"default"}', 'profile is for files'],
    ['{"encodingTime":3,"priority":9}', 'priority must be <= 5'],
  ])('%s is not', (text, problem) => {
    expect(parseIngestLine(text)).toEqual({ ok: false, problem });
  });

  test('gets from the command what it does not say', () => {
    const defaults = { ingest: 'news', tenant: 'acme', target: 'playout' };
    expect(itemOf({ encodingTime: 2 }, 'a', defaults)).toMatchObject({
      tenant: 'acme',
      priority: 3,
      target: 'playout',
    });
    const said = itemOf({ encodingTime: 2, tenant: 'other', priority: 1, target: 'cdn' }, 'a', defaults);
    expect(said).toMatchObject({ tenant: 'other', priority: 1, target: 'cdn' });
  });

  test('has its fields in the documentation', () => {
    expect(ingestFieldsTable()).toContain('`publicationTimeout`');
  });
});

describe('the line of those who wait', () => {
  const item = (fields: object) => itemOf({ encodingTime: 10, ...fields }, 'a', { ingest: 'news', tenant: 'acme' });
  const now = Date.parse('2030-01-01T00:00:00Z');

  test('an instant says when it must begin; a timeout does not run before it begins', () => {
    expect(startByOf(item({ publishBy: '2030-01-01T00:01:00Z' }))).toBe('2030-01-01T00:00:50.000Z');
    expect(startByOf(item({ publicationTimeout: 12 }))).toBeUndefined();
  });

  test('what takes longer than it may is hopeless from the start', () => {
    expect(isHopeless(item({ publicationTimeout: 9 }), now)).toBe(true);
    expect(isHopeless(item({ publicationTimeout: 10 }), now)).toBe(false);
    expect(isHopeless(item({ publishBy: '2030-01-01T00:00:09Z' }), now)).toBe(true);
    expect(isHopeless(item({}), now)).toBe(false);
  });

  test('who must begin first is next; all others in their order', () => {
    const [a, b, c, d] = [
      { workflowId: 'a' },
      { workflowId: 'b', startBy: '2030-01-01T00:00:20Z' },
      { workflowId: 'c', startBy: '2030-01-01T00:00:10Z' },
      { workflowId: 'd' },
    ];
    expect(nextInLine([a, b, c, d])).toBe(c);
    expect(nextInLine([a, d])).toBe(a);
    expect(nextInLine([])).toBeUndefined();
  });
});
