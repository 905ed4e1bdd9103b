import { Writable } from 'node:stream';
import { MediaError } from '../../src/contracts/errors.js';
import { createLogger, temporalLogger, type Logger } from '../../src/logging/index.js';

interface Line {
  time: string;
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** A stream that is slow, so that a backend's own buffering shows. */
class Collected extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    setImmediate(done);
  }
  lines(): Line[] {
    return this.text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  }
}

async function logged(
  backend: string,
  use: (logger: Logger) => void,
  level: 'debug' | 'info' | 'warn' | 'error' = 'debug',
): Promise<Line[]> {
  const stream = new Collected();
  const logger = createLogger({ backend, level }, { service: 'test' }, stream);
  use(logger);
  await logger.flush();
  return stream.lines();
}

describe.each(['pino', 'winston'])('backend %s', (backend) => {
  test('writes time, level, message and fields', async () => {
    const before = Date.now();
    const [line] = await logged(backend, (logger) =>
      logger.info('hello\nyou', { assetId: 'a1', count: 3, nested: { x: [1] }, none: undefined }),
    );
    expect(line).toEqual({
      time: expect.any(String),
      level: 'info',
      msg: 'hello\nyou',
      service: 'test',
      assetId: 'a1',
      count: 3,
      nested: { x: [1] },
    });
    expect(line!.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(line!.time)).toBeGreaterThanOrEqual(before);
  });

  test('keeps the order and writes only its level and above', async () => {
    const lines = await logged(
      backend,
      (logger) => (['debug', 'info', 'warn', 'error'] as const).forEach((level) => logger[level](level)),
      'warn',
    );
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      ['warn', 'warn'],
      ['error', 'error'],
    ]);
  });

  test('a child adds its fields, a line may replace them', async () => {
    const lines = await logged(backend, (logger) => {
      const child = logger.child({ workflowId: 'w' }).child({ activity: 'encode' });
      child.info('1');
      child.info('2', { activity: 'other' });
      logger.info('3');
    });
    expect(lines).toMatchObject([{ workflowId: 'w', activity: 'encode' }, { workflowId: 'w', activity: 'other' }, {}]);
    expect(lines[2]).not.toHaveProperty('workflowId');
  });

  test('errors are written with code, stack and causes, under any name', async () => {
    const cause = Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' });
    const error = new MediaError('STORE_UNAVAILABLE', undefined, { cause });
    const [line] = await logged(backend, (logger) => logger.error('failed', { error, err: cause, reason: cause }));
    expect(line!.error).toMatchObject({
      name: 'MediaError',
      code: 'STORE_UNAVAILABLE',
      message: error.message,
      stack: error.stack,
    });
    expect(line!.error).toMatchObject({ cause: { message: 'no route', code: 'EHOSTUNREACH', stack: cause.stack } });
    for (const name of ['err', 'reason'])
      expect(line![name]).toEqual({ name: 'Error', message: 'no route', code: 'EHOSTUNREACH', stack: cause.stack });
  });

  test('nothing that is logged can break a line', async () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const endless = new Error('endless');
    endless.cause = endless;
    const lines = await logged(backend, (logger) => {
      logger.info('odd', {
        circular,
        endless,
        big: 12n,
        deep: { big: 12n },
        level: 'x',
        msg: 'y',
        time: 'z',
        message: 'm',
      });
      logger.info('%s %d', { splat: 1 });
      logger.info('');
    });
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({
      level: 'info',
      msg: 'odd',
      big: '12',
      level_: 'x',
      msg_: 'y',
      time_: 'z',
      message: 'm',
    });
    expect(lines[1]).toMatchObject({ msg: '%s %d', splat: 1 });
    expect(lines[2]).toMatchObject({ msg: '' });
  });

  test('flush waits for many lines', async () => {
    const lines = await logged(backend, (logger) => {
      for (let i = 0; i < 500; i++) logger.info(String(i));
    });
    expect(lines.map(({ msg }) => Number(msg))).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  test("takes Temporal's own lines", async () => {
    const lines = await logged(backend, (logger) => {
      const temporal = temporalLogger(logger);
      temporal.trace('t');
      temporal.log('WARN', 'w', { sdkComponent: 'worker', [Symbol('private')]: 1 });
      temporal.error('e', { error: new Error('boom') });
    });
    expect(lines).toMatchObject([
      { level: 'debug', msg: 't' },
      { level: 'warn', msg: 'w', sdkComponent: 'worker' },
      { level: 'error', msg: 'e', error: { message: 'boom' } },
    ]);
  });
});

test('both backends write the same', async () => {
  const both = await Promise.all(
    ['pino', 'winston'].map((backend) =>
      logged(backend, (logger) => logger.child({ a: 1 }).warn('x', { b: [{ c: null }], error: new Error('same') })),
    ),
  );
  const [pino, winston] = both.map(([line]) => ({
    ...line,
    time: '',
    error: { ...(line!.error as object), stack: '' },
  }));
  expect(pino).toEqual(winston);
});

test.each(['bunyan', '', 'constructor'])('backend %j falls back to pino with a warning', async (backend) => {
  const lines = await logged(backend, (logger) => logger.info('hello'));
  expect(lines).toMatchObject([
    { level: 'warn', backend, setting: expect.stringContaining('LOG_BACKEND') },
    { msg: 'hello' },
  ]);
});
