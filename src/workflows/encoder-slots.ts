import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  getExternalWorkflowHandle,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

import {
  nextInLine,
  QUERY_LINE,
  SIGNAL_ASK,
  SIGNAL_GRANTED,
  SIGNAL_RELEASE,
  SIGNAL_RESIZE,
  type LineStatus,
  type SlotRequest,
  type SlotState,
} from '../contracts/ingest.js';

const ask = defineSignal<[SlotRequest]>(SIGNAL_ASK);
const release = defineSignal<[string]>(SIGNAL_RELEASE);
const resize = defineSignal<[number]>(SIGNAL_RESIZE);
const line = defineQuery<LineStatus>(QUERY_LINE);

/** With others waiting and nothing happening for so long, those who encode are asked whether they are still there. */
const SILENCE = '20 seconds';
/** With nothing to do for so long it ends; the next item begins it anew. */
const IDLE = '10 minutes';
/** The server's own advice comes at thousands of events more; each new worker reads all of them. */
const LONGEST_HISTORY = 2_000;

/**
 * Gives out places at the encoders of one ingest: never more at once than there are, and to whom is in the greatest
 * hurry first. Items keep their places when workers die, and lose them when they end in whatever way.
 */
export async function encoderSlots(state: SlotState): Promise<void> {
  let { encoders } = state;
  const encoding = new Map(state.encoding.map((request) => [request.workflowId, request]));
  const waiting = new Map(state.waiting.map((request) => [request.workflowId, request]));
  let changes = 0;

  setHandler(ask, (request) => {
    // Asked again: its grant got lost.
    encoding.delete(request.workflowId);
    waiting.set(request.workflowId, request);
    changes += 1;
  });
  setHandler(release, (workflowId) => {
    encoding.delete(workflowId);
    waiting.delete(workflowId);
    changes += 1;
  });
  setHandler(resize, (size) => {
    encoders = size;
    changes += 1;
  });
  setHandler(line, () => ({
    encoders,
    waiting: waiting.size,
    encoding: encoding.size,
    atRisk: [...encoding.values(), ...waiting.values()].filter(({ atRisk }) => atRisk).length,
  }));

  /** Takes the place back where nobody is there any more. */
  const tell = async (request: SlotRequest): Promise<void> => {
    try {
      await getExternalWorkflowHandle(request.workflowId).signal(SIGNAL_GRANTED);
    } catch {
      // It has ended, or there never was one: the only ways in which such a signal fails.
      if (encoding.get(request.workflowId) === request) encoding.delete(request.workflowId);
    }
  };

  for (;;) {
    while (encoding.size < encoders && waiting.size > 0) {
      const next = nextInLine([...waiting.values()])!;
      waiting.delete(next.workflowId);
      encoding.set(next.workflowId, next);
      await tell(next);
    }
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    if (historyLength > LONGEST_HISTORY || continueAsNewSuggested) {
      await continueAsNew<typeof encoderSlots>({
        encoders,
        encoding: [...encoding.values()],
        waiting: [...waiting.values()],
      });
    }
    const seen = changes;
    const isIdle = waiting.size === 0 && encoding.size === 0;
    if (await condition(() => changes !== seen, isIdle ? IDLE : SILENCE)) continue;
    if (isIdle) return;
    if (waiting.size === 0) continue;
    for (const request of [...encoding.values()]) if (encoding.has(request.workflowId)) await tell(request);
  }
}
