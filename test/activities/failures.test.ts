import { CancelledFailure } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';

import { toFailure } from '../../src/activities/failures.js';
import { ERRORS, MediaError, type ErrorCode } from '../../src/contracts/errors.js';

const finalAt = (code: ErrorCode, attempt: number): boolean =>
  (toFailure(new MediaError(code), attempt) as ApplicationFailure).nonRetryable ?? false;

describe('how an error leaves an activity', () => {
  test.each(Object.keys(ERRORS) as ErrorCode[])('%s is final after its attempts, not before', (code) => {
    const { attempts } = ERRORS[code];
    if (attempts === Infinity) expect(finalAt(code, 1000)).toBe(false);
    else expect([finalAt(code, attempts - 1), finalAt(code, attempts)]).toEqual([false, true]);
  });

  test('one that has been tried again already is final at once', () => {
    const failure = toFailure(new MediaError('DECODER_CRASHED', undefined, { final: true }), 1);
    expect(failure).toMatchObject({ type: 'DECODER_CRASHED', nonRetryable: true });
  });

  test('what nobody foresaw is ours, is retried, and keeps its cause', () => {
    const failure = toFailure(new Error('boom'), 1) as ApplicationFailure;
    expect(failure).toMatchObject({ type: 'INTERNAL', nonRetryable: false, message: ERRORS.INTERNAL.sentence });
    expect(failure.cause?.message).toBe('boom');
  });

  test('a cancellation passes as it is', () => {
    const cancelled = new CancelledFailure('CANCELLED');
    expect(toFailure(cancelled, 1)).toBe(cancelled);
  });
});
