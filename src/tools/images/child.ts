/**
 * The process in which sharp runs: reads requests from stdin, works in its current folder, replies on stdout.
 * Nothing is imported here but sharp and its neighbours: the sandbox shows this process nothing else.
 */
import { createInterface } from 'node:readline';
import sharp from 'sharp';

import { faultOf } from './faults.js';
import { RECORD_SEPARATOR, type ImageNews, type ImageReply, type ImageRequest, type ImageResult } from './protocol.js';
import { look, opacity } from './look.js';
import { inspect } from './inspect.js';
import { render } from './render.js';
import { sheet } from './sheet.js';
import { strip } from './strip.js';

// Every picture is another one: a cache would only hold memory, and the pixels of somebody else.
sharp.cache(false);
// The variants of a picture are encoded side by side; threads within each would only add memory.
sharp.concurrency(1);
// All readers off, then only those on that we mean to have; of each only the one that reads files.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif', 'Tiff', 'Svg'].map((name) => `VipsForeignLoad${name}File`),
});

function say(said: ImageReply | ImageNews): void {
  process.stdout.write(`${RECORD_SEPARATOR}${JSON.stringify(said)}\n`);
}

function succeed(id: number, result: ImageResult | null): void {
  say({ id, ok: true, result, residentKiB: Math.round(process.memoryUsage.rss() / 1024) });
}

function perform(request: ImageRequest): Promise<ImageResult> {
  switch (request.op) {
    case 'inspect':
      return inspect(request.file);
    case 'render':
      return render(request, (written, size) => say({ id: request.id, written, size }));
    case 'opaque':
      return opacity(request);
    case 'look':
      return look(request);
    case 'sheet':
      return sheet(request);
    case 'strip':
      return strip(request);
  }
}

async function answer(request: ImageRequest): Promise<void> {
  try {
    succeed(request.id, await perform(request));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    say({ id: request.id, ok: false, fault: faultOf(message), message: message.slice(-2000) });
  }
}

const requests = createInterface({ input: process.stdin, crlfDelay: Infinity });
requests.on('line', (line) => void answer(JSON.parse(line) as ImageRequest));
requests.on('close', () => process.exit(0));
succeed(0, null);
