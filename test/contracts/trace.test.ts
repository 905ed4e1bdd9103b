import { formatTraceParent, parseTraceParent, spanIdOfRun } from '../../src/contracts/trace.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test('a header of W3C Trace Context is read and written', () => {
  const header = `00-${TRACE}-${SPAN}-01`;
  expect(parseTraceParent(header)).toEqual({ traceId: TRACE, spanId: SPAN, flags: '01' });
  expect(formatTraceParent(parseTraceParent(header)!)).toBe(header);
});

test.each([
  undefined,
  1,
  '',
  `00-${TRACE}-${SPAN}`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
])('%j is no trace', (value) => {
  expect(parseTraceParent(value)).toBeUndefined();
});

test('the span of a run is the same for everybody who knows the run', () => {
  expect(spanIdOfRun('0198a7c2-53cd-7e52-a7a7-5b5bb1a6f0de')).toBe('a7a75b5bb1a6f0de');
});
