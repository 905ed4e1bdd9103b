import type { Refusal } from '../contracts/events.js';
import { MediaError } from '../contracts/errors.js';
import { cutLetter, deadLetterOf } from './dead-letter.js';
import type { BrokerRecord, EventProducer } from './messaging.js';

/**
 * Resolves when the dead-letter topic has the event. Errors: EVENTS_UNAVAILABLE. After such an error
 * the letter may have arrived nevertheless: a second one for the same origin is possible.
 */
export function createDeadLetterSink(producer: EventProducer, dlqTopic: string) {
  return async (record: BrokerRecord, reason: Refusal, detail: string): Promise<void> => {
    const letter = deadLetterOf(dlqTopic, record, reason, detail, new Date());
    try {
      await producer.send([letter]);
    } catch (error) {
      if (MediaError.is(error)) throw error;
      // Refused for good, that is as too large: an oversize event must not block its partition.
      await producer.send([cutLetter(letter)]);
    }
  };
}
