import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/index.js';
import type { LogFields, Logger } from '../../src/logging/logger.js';
import { createTools } from '../../src/tools/index.js';
import { inScratch, LIMITS, sampleArgs } from './support.js';

function listLogger(lines: Array<[string, string, LogFields | undefined]>): Logger {
  const log = (level: string) => (message: string, fields?: LogFields) => void lines.push([level, message, fields]);
  const logger: Logger = {
    ...{ debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    child: () => logger,
    flush: async () => undefined,
  };
  return logger;
}

describe('createTools', () => {
  test('says how decoders are protected, and has all four tools at work', async () => {
    await inScratch(async (dir) => {
      const lines: Array<[string, string, LogFields | undefined]> = [];
      const config = loadConfig({ overrides: { scratch: { dir }, sandbox: { mode: 'reduced' } } });
      const tools = await createTools(config, listLogger(lines), dir);
      try {
        const said = lines.find(([, message]) => message === `Decoders run under ${tools.protections.by}`);
        expect(said?.[2]).toEqual({ protections: tools.protections });

        await inScratch(async (scratch) => {
          await tools.ffmpeg({ args: sampleArgs(1), scratch, limits: LIMITS, stallSeconds: 10 });
          const probed = await tools.ffprobe({
            args: ['-of', 'json', '-show_format', './source.mp4'],
            scratch,
            limits: LIMITS,
          });
          expect(JSON.parse(probed.stdout)).toHaveProperty('format.duration');
          await tools.magick({ args: ['-size', '40x30', 'xc:red', 'PNG:./red.png'], scratch, limits: LIMITS });
        });
        const header = await tools.withImageSlot(async (slot) => {
          await writeFile(join(slot.dir, 'source'), PIXEL);
          return slot.inspect('source');
        });
        expect(header).toMatchObject({ format: 'png', width: 1, height: 1 });
      } finally {
        await tools.close();
      }
    });
  });
});

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);
