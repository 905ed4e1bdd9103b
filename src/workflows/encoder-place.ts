/** An item's place at the encoders of its ingest. */
import {
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';

import {
  DEFAULT_ENCODERS,
  INGEST_WORKFLOW_TYPES,
  SIGNAL_ASK,
  SIGNAL_GRANTED,
  SIGNAL_RELEASE,
  slotsWorkflowIdOf,
  startByOf,
  type IngestItem,
  type SlotState,
} from '../contracts/ingest.js';

const granted = defineSignal(SIGNAL_GRANTED);

/** Minutes after which it asks again, doubled each time: whoever gives out the places may have been ended by somebody. */
const FIRST_PATIENCE = 5;
const LONGEST_PATIENCE = 60;

export class EncoderPlace {
  private isMine = false;
  private released: Promise<void> | undefined;
  private readonly slotsId: string;

  constructor(private readonly item: IngestItem) {
    this.slotsId = slotsWorkflowIdOf(item.ingest);
    setHandler(granted, () => {
      this.isMine = true;
    });
  }

  async take(atRisk: boolean): Promise<void> {
    for (let minutes = FIRST_PATIENCE; !this.isMine; minutes = Math.min(LONGEST_PATIENCE, 2 * minutes)) {
      await this.ask(atRisk);
      await condition(() => this.isMine, `${minutes} minutes`);
    }
  }

  /** It may be called again: it is given back once. */
  release(): Promise<void> {
    return (this.released ??= CancellationScope.nonCancellable(() => this.giveBack()));
  }

  private async giveBack(): Promise<void> {
    try {
      await getExternalWorkflowHandle(this.slotsId).signal(SIGNAL_RELEASE, workflowInfo().workflowId);
    } catch {
      // Somebody ended it: then there is nothing to give back.
    }
  }

  private async ask(atRisk: boolean): Promise<void> {
    const { workflowId } = workflowInfo();
    const request = { workflowId, startBy: startByOf(this.item), ...(atRisk && { atRisk }) };
    try {
      await getExternalWorkflowHandle(this.slotsId).signal(SIGNAL_ASK, request);
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      await this.begin({ encoders: DEFAULT_ENCODERS, encoding: [], waiting: [request] });
    }
  }

  /** As a rule the ingest's client has begun it. */
  private async begin(state: SlotState): Promise<void> {
    try {
      await startChild(INGEST_WORKFLOW_TYPES.slots, {
        workflowId: this.slotsId,
        args: [state],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // Another item was quicker.
      await getExternalWorkflowHandle(this.slotsId).signal(SIGNAL_ASK, state.waiting[0]);
    }
  }
}
