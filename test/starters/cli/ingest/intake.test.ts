import { Readable } from 'node:stream';

import { Names } from '../../../../src/starters/cli/ingest/intake.js';
import { Ledger } from '../../../../src/starters/cli/ingest/ledger.js';
import { numberedLines } from '../../../../src/starters/cli/ingest/lines.js';
import { Pacer, parseRate } from '../../../../src/starters/cli/ingest/pace.js';
import { describePicture, View } from '../../../../src/starters/cli/ingest/view.js';

async function linesOf(chunks: readonly (string | Buffer)[], longest?: number) {
  const lines = [];
  for await (const line of numberedLines(Readable.from(chunks), longest)) lines.push(line);
  return lines;
}

describe('lines', () => {
  test('are numbered as an editor numbers them, wherever the stream is cut', async () => {
    expect(await linesOf(['\uFEFFa', 'b\r\n', '\n  \nc\nd'])).toEqual([
      { number: 1, text: 'ab' },
      { number: 4, text: 'c' },
      { number: 5, text: 'd' },
    ]);
    expect(await linesOf([])).toEqual([]);
  });

  test('a character that is cut in two is whole', async () => {
    const bytes = Buffer.from('é\n');
    expect(await linesOf([bytes.subarray(0, 1), bytes.subarray(1)])).toEqual([{ number: 1, text: 'é' }]);
  });

  test('one that is too long or no UTF-8 is named, and the next is read', async () => {
    expect(await linesOf(['12345', '678\n12\n', Buffer.from([0xff, 0x0a]), 'x'], 4)).toEqual([
      { number: 1, problem: 'longer than 4 bytes' },
      { number: 2, text: '12' },
      { number: 3, problem: 'not UTF-8' },
      { number: 4, text: 'x' },
    ]);
  });
});

describe('names', () => {
  const read = (texts: readonly string[]) => {
    const names = new Names();
    return texts.map((text, index) => names.take({ number: index + 1, text }));
  };

  test('the same input gives the same ids; lines without one are items of their own, even of the same content', () => {
    const texts = ['{"encodingTime":1}', '{"encodingTime":1}', '{"id":"a","encodingTime":1}'];
    const ids = read(texts).map((intake) => (intake.outcome === 'item' ? intake.id : intake.outcome));
    expect(ids).toEqual([expect.stringMatching(/^line-1-/), expect.stringMatching(/^line-2-/), 'a']);
    expect(read(texts).map((intake) => 'id' in intake && intake.id)).toEqual(ids);
  });

  test('an id comes once, and the line that had it is named', () => {
    const [, same, other] = read([
      '{"id":"a","encodingTime":1}',
      '{"encodingTime":1,"id":"a"}',
      '{"id":"a","encodingTime":2}',
    ]);
    expect(same).toMatchObject({ outcome: 'duplicate' });
    expect(other).toEqual({ outcome: 'duplicate', problem: 'the id of line 1' });
  });
});

describe('pace', () => {
  test.each([
    ['2/s', 2],
    ['90/min', 1.5],
    ['3600/h', 1],
    ['0.5/s', 0.5],
  ])('%s', (text, rate) => expect(parseRate(text)).toBe(rate));
  test.each(['0/s', '-1/s', '2', '2/d', '1e9/s', '/s', ''])('%j is no rate', (text) =>
    expect(parseRate(text)).toBeUndefined(),
  );

  test('turns come in equal steps, and who is late makes nobody hurry', () => {
    let now = 1_000;
    const pacer = new Pacer(2, () => now);
    expect([pacer.turn(), pacer.turn(), pacer.turn()]).toEqual([0, 500, 1_000]);
    now = 10_000;
    expect([pacer.turn(), pacer.turn()]).toEqual([0, 500]);
    expect(new Pacer(undefined).turn()).toBe(0);
  });
});

describe('the account', () => {
  const at = (seconds: number) => new Date(1_900_000_000_000 + seconds * 1000).toISOString();
  const whole = { encoded: true, published: true, wasAtRisk: false };

  test('adds up, whatever became of items', () => {
    const ledger = new Ledger();
    ledger.parseErrors = 2;
    ledger.submitted = 6;
    ledger.end({ ...whole, publishBy: at(10), publishedAt: at(9) });
    ledger.end({ ...whole, publishBy: at(10), publishedAt: at(12) });
    ledger.end({ ...whole, publishedAt: at(99) });
    ledger.end({ ...whole, published: false, publishBy: at(10) });
    ledger.end({ encoded: false, published: false, wasAtRisk: true });
    expect(ledger.statsLine()).toBe(
      'stats: client_parse_errors=2 client_submitted=6 encoded=4 published=3 publish_failed=1',
    );
    expect(ledger.deadlinesLine()).toBe(
      'deadlines: met=1 missed=2 at_risk=3 lateness_p50=2.00 lateness_p99=2.00 lateness_max=2.00 duplicates=0 encode_failed=1 open=1',
    );
  });

  test('what an embargo holds back has the second in which it ends', () => {
    const ledger = new Ledger();
    expect(ledger.end({ ...whole, publishBy: at(10), publishedAt: at(10.4) }, at(10))).toBe('met');
    expect(ledger.end({ ...whole, publishBy: at(10), publishedAt: at(10.4) })).toBe('late');
  });
});

describe('the view', () => {
  const picture = { queue: 3, encoding: 2, encoders: 10, publishing: 1, published: 7, failed: 0, atRisk: 1 };
  const screen = (isTTY: boolean) => {
    const written: string[] = [];
    return { written, out: { isTTY, columns: 200, write: (text: string) => written.push(text) } as never };
  };

  test('on a terminal one line changes in its place; a message goes above it', () => {
    const { written, out } = screen(true);
    const view = new View(out);
    view.show(picture);
    view.show(picture);
    view.say('line 3: not JSON\u001b[2J');
    view.show(picture);
    expect(written).toEqual([
      `\r\u001b[2K${describePicture(picture)}`,
      '\r\u001b[2K',
      'line 3: not JSON?[2J\n',
      `\r\u001b[2K${describePicture(picture)}`,
    ]);
  });

  test('in a log there is a line now and then, and no control characters', () => {
    const { written, out } = screen(false);
    const view = new View(out);
    view.show(picture);
    view.show({ ...picture, queue: 2 });
    expect(written).toEqual(['queue 3   encoding 2 of 10   publishing 1   published 7   failed 0   at risk 1\n']);
  });
});
