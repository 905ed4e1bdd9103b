import { judge, judgeRepair, type Verdict } from '../../src/catalogue/transitions.js';
import type { AssetState } from '../../src/contracts/assets.js';

const STATES: AssetState[] = [
  'received',
  'processing',
  'playable',
  'ready',
  'partial',
  'failed',
  'cancelled',
  'deleted',
];

/** Within one generation: from (row) to (column). a: apply, =: repeat, -: refuse. Columns in the order of STATES. */
const SAME_GENERATION: Record<AssetState, string> = {
  received: '=aaaaaaa',
  processing: '-=aaaaaa',
  playable: '--=aaaaa',
  ready: '---=---a',
  partial: '----=--a',
  failed: '-----=-a',
  cancelled: '------=a',
  deleted: '-------=',
};
const VERDICTS: Record<string, Verdict> = { a: 'apply', '=': 'repeat', '-': 'refuse' };

const cases = STATES.flatMap((from) =>
  STATES.map((to, column) => [from, to, VERDICTS[SAME_GENERATION[from][column]!]!] as const),
);

test.each(cases)('%s -> %s: %s', (from, to, verdict) => {
  expect(judge({ state: from, begun: 2 }, to, 2)).toBe(verdict);
});

test.each(STATES)('a later generation begins anew after %s, an earlier one is over', (state) => {
  for (const to of STATES.filter((other) => other !== 'deleted')) {
    expect(judge({ state, begun: 2 }, to, 3)).toBe(state === 'deleted' ? 'refuse' : 'apply');
    expect(judge({ state, begun: 2 }, to, 1)).toBe('refuse');
  }
});

test.each(STATES)('an asset may be met first as %s', (to) => expect(judge(undefined, to, 1)).toBe('apply'));

test('any generation may delete', () => {
  for (const generation of [1, 2, 3]) {
    expect(judge({ state: 'ready', begun: 2 }, 'deleted', generation)).toBe('apply');
    expect(judge({ state: 'deleted', begun: 2 }, 'deleted', generation)).toBe('repeat');
  }
});

test.each(STATES)('a repair of what is %s', (state) => {
  const verdict = state === 'ready' || state === 'partial' ? 'apply' : 'refuse';
  expect(judgeRepair({ state, begun: 2, generation: 2 }, 2)).toBe(verdict);
  expect(judgeRepair({ state, begun: 3, generation: 2 }, 2)).toBe('refuse');
  expect(judgeRepair({ state, begun: 2, generation: 2 }, 1)).toBe('refuse');
  expect(judgeRepair(undefined, 1)).toBe('refuse');
});
