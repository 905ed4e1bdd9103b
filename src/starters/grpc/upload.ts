/** `UploadVideo`: the messages of a client as one stream of bytes, handed on as fast as the store takes them. */
import { Readable } from 'node:stream';

import type { UploadFacts } from '../../api/uploads/facts.js';
import { receiveStream, type Received } from '../../api/uploads/receive.js';
import type { ApiContext } from '../../api/context.js';
import { ApiProblem } from '../../api/problems.js';
import type { Priority } from '../../contracts/assets.js';
import type { Call } from './calls.js';
import type { UploadVideoHeader, UploadVideoRequest } from './messages.js';
import { isoOf, secondsOf } from './time.js';

/** A client that opens a call and says nothing is cut off after so long. How slow its bytes may come is known where they are received. Milliseconds. */
const SILENCE = 30_000;

export async function receiveVideo(
  ctx: ApiContext,
  requests: AsyncIterable<UploadVideoRequest>,
  { caller, signal }: Call,
): Promise<Received> {
  const messages = requests[Symbol.asyncIterator]();
  const header = await headerOf(messages);
  return receiveStream(ctx, caller, factsOf(header), Readable.from(chunks(messages), { objectMode: false }), signal);
}

async function headerOf(messages: AsyncIterator<UploadVideoRequest>): Promise<UploadVideoHeader> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    const detail = `Nothing came for ${SILENCE / 1000} s.`;
    timer = setTimeout(() => reject(new ApiProblem('request-timeout', { detail })), SILENCE);
  });
  try {
    const first = await Promise.race([messages.next(), silence]);
    if (first.done || !first.value.header) throw invalid('The first message must be the header.');
    return first.value.header;
  } finally {
    clearTimeout(timer);
  }
}

async function* chunks(messages: AsyncIterator<UploadVideoRequest>): AsyncGenerator<Buffer> {
  for (let message = await messages.next(); !message.done; message = await messages.next()) {
    const { chunk } = message.value;
    if (!chunk) throw invalid('All messages after the first must be chunks.');
    if (chunk.length > 0) yield chunk;
  }
}

const invalid = (detail: string): ApiProblem => new ApiProblem('invalid-request', { detail });

/** What is not set in a message is empty there. */
const given = (text: string): string | undefined => (text === '' ? undefined : text);

/** Pure. */
export function factsOf(header: UploadVideoHeader): UploadFacts {
  return {
    kind: 'grpc',
    size: header.size,
    sha256: given(header.sha256)?.toLowerCase(),
    contentType: given(header.contentType),
    fileName: given(header.fileName),
    title: given(header.title),
    tags: header.tags,
    metadata: header.metadata,
    profile: given(header.profile),
    priority: header.priority === 0 ? undefined : (header.priority as Priority),
    publishBy: isoOf(header.publishBy),
    publicationTimeout: secondsOf(header.publicationTimeout),
    publishNotBefore: isoOf(header.publishNotBefore),
  };
}
