/** Follows uploads until each has ended, one line per file. */
import { setTimeout as sleep } from 'node:timers/promises';

import { WorkflowNotFoundError } from '@temporalio/client';

import { liveProgress, type LiveProgress } from '../../client/progress.js';
import { FINAL_STATES, type AssetDocument } from '../../contracts/assets.js';
import { bar, duration } from './format.js';
import type { Session } from './session.js';
import type { Upload } from './upload.js';

const POLL_MS = 500;
/** An event that has started nothing for so long waits for a starter or lies in the dead-letter topic. */
const EVENT_SECONDS = 60;

/** So long servers may be away while we wait. */
const PATIENCE_SECONDS = 120;

export interface Followed {
  readonly upload: Upload;
  /** Undefined when no workflow came of the upload. */
  readonly document: AssetDocument | undefined;
}

/**
 * @param say shows the newest line of a file; called only when the line changed.
 * @param onPlayable called once for each that can be watched while it is still being encoded.
 */
export async function follow(
  session: Session,
  uploads: readonly Upload[],
  say: (upload: Upload, line: string) => void,
  onPlayable: (upload: Upload) => void = () => undefined,
): Promise<Followed[]> {
  return Promise.all(
    uploads.map((upload) =>
      followOne(
        session,
        upload,
        (line) => say(upload, line),
        () => onPlayable(upload),
      ),
    ),
  );
}

async function followOne(
  session: Session,
  upload: Upload,
  say: (line: string) => void,
  onPlayable: () => void,
): Promise<Followed> {
  const handle = session.temporal.workflow.getHandle(upload.workflowId);
  let shown = '';
  let playable = false;
  const show = (line: string): void => {
    if (line === shown) return;
    shown = line;
    say(line);
  };
  let goodAt = Date.now();
  for (; ; await sleep(POLL_MS)) {
    try {
      const document = await ended(session, upload);
      if (document) {
        show(endLine(document));
        return { upload, document };
      }
      const { status } = await handle.describe();
      if (status.name === 'RUNNING') {
        const progress = await liveProgress(handle);
        if (progress.state === 'playable' && !playable) {
          playable = true;
          onPlayable();
        }
        show(progressLine(progress));
      } else if (status.name !== 'CONTINUED_AS_NEW') {
        // The last word in the catalogue comes before the end. Without one: terminated or timed out by an operator.
        const last = await ended(session, upload);
        show(last ? endLine(last) : `workflow ${status.name.toLowerCase()}`);
        return { upload, document: last };
      }
      goodAt = Date.now();
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) {
        // The work goes on without us: a server that restarts, or a worker too busy to answer, is no end.
        if (Date.now() - goodAt > PATIENCE_SECONDS * 1000) throw error;
        show(`asking again: ${(error as Error).message}`);
        continue;
      }
      goodAt = Date.now();
      if (Date.now() - upload.at > EVENT_SECONDS * 1000) {
        show(`no workflow after ${EVENT_SECONDS} s: see \`mediamill status\` and \`mediamill dlq list\``);
        return { upload, document: undefined };
      }
      show('uploaded, waiting for its event');
    }
  }
}

async function ended({ catalogue }: Session, { assetId }: Upload): Promise<AssetDocument | undefined> {
  const row = await catalogue.find(assetId);
  return row?.document && FINAL_STATES.includes(row.state) ? row.document : undefined;
}

export function progressLine(progress: LiveProgress): string {
  const parts = [progress.stage.padEnd(10), bar(progress.percent), `${Math.floor(progress.percent)} %`.padStart(5)];
  if (progress.speed) parts.push(`${progress.speed.toFixed(2)}x`);
  if (progress.timeLeft !== undefined) parts.push(`${duration(progress.timeLeft)} left`);
  if (progress.retrying)
    parts.push(`attempt ${progress.retrying.attempt} of ${progress.retrying.step}: ${progress.retrying.reason}`);
  return parts.join('  ');
}

function endLine({ state, error, renditions, playback, timings }: AssetDocument): string {
  if (error) return `${state}  ${error.code}: ${error.message}`;
  const after = (time: string): string => duration((Date.parse(time) - Date.parse(timings.uploadedAt)) / 1000);
  const { playableAt, readyAt = timings.uploadedAt } = timings;
  const watch = playback.hls && playableAt ? `, playable after ${after(playableAt)}` : '';
  return `${state}  ${renditions.length} renditions in ${after(readyAt)}${watch}`;
}
