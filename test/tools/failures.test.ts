import { describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '../../src/contracts/errors.js';
import { judge, judgeHard, refuseExhausted } from '../../src/tools/failures.js';
import { ToolError, type ToolFailure } from '../../src/tools/tool-error.js';

type End = Partial<ToolFailure['end']> & Pick<ToolFailure, 'stopped'> & { stderr?: string };
const toolError = ({ exitCode = null, signal = null, stderr = '', stopped }: End): ToolError =>
  new ToolError({ tool: 'ffmpeg', end: { exitCode, signal }, stderr, stopped, wallMs: 12, peakMemoryKiB: 34 });

/** How the run ended; what the tools throw at once (null: a ToolError); what `judge` makes of it. */
const TABLE: Array<[End, ErrorCode | null, ErrorCode]> = [
  [{ stopped: 'wall-time', signal: 'SIGKILL' }, 'DECODER_TIMEOUT', 'DECODER_TIMEOUT'],
  [{ stopped: 'stalled', signal: 'SIGKILL' }, 'TOOL_STALLED', 'TOOL_STALLED'],
  [{ stopped: 'memory', signal: 'SIGKILL' }, 'DECODER_LIMIT', 'DECODER_LIMIT'],
  [{ stopped: 'output', signal: 'SIGKILL' }, 'DECODER_LIMIT', 'DECODER_LIMIT'],
  ...(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL'] as const).map((signal): [End, ErrorCode, ErrorCode] => [
    { signal },
    'DECODER_CRASHED',
    'DECODER_CRASHED',
  ]),
  ...(['SIGXCPU', 'SIGXFSZ', 'SIGKILL'] as const).map((signal): [End, ErrorCode, ErrorCode] => [
    { signal },
    'DECODER_LIMIT',
    'DECODER_LIMIT',
  ]),
  [{ signal: 'SIGTERM' }, 'INTERNAL', 'INTERNAL'],
  [{ exitCode: 1, stderr: 'av_interleaved_write_frame(): No space left on device' }, 'NO_SPACE', 'NO_SPACE'],
  [{ signal: 'SIGABRT', stderr: 'what():  std::bad_alloc' }, 'DECODER_LIMIT', 'DECODER_LIMIT'],
  [
    { exitCode: 69, stderr: 'Error while decoding stream #0:0: Cannot allocate memory' },
    'DECODER_LIMIT',
    'DECODER_LIMIT',
  ],
  [
    { exitCode: 1, stderr: "convert: width or height exceeds limit `x' @ error/cache.c" },
    'DECODER_LIMIT',
    'DECODER_LIMIT',
  ],
  [{ exitCode: 1, stderr: "convert: time limit exceeded `x' @ fatal/cache.c" }, 'DECODER_TIMEOUT', 'DECODER_TIMEOUT'],
  [
    { exitCode: 1, stderr: "convert: no images defined `PNG:./out.png' @ error/convert.c\n" },
    'DECODER_LIMIT',
    'DECODER_LIMIT',
  ],
  [
    { exitCode: 1, stderr: '[mov] moov atom not found\n./source: Invalid data found when processing input' },
    null,
    'DAMAGED_FILE',
  ],
  [{ exitCode: 1, stderr: './source: Invalid data found when processing input' }, null, 'DAMAGED_FILE'],
  [{ exitCode: 1, stderr: "convert: insufficient image data in file `./source' @ error/pnm.c" }, null, 'DAMAGED_FILE'],
  [{ exitCode: 1, stderr: 'Decoder (codec none) not found for input stream #0:0' }, null, 'UNSUPPORTED_FORMAT'],
  [
    { exitCode: 1, stderr: "convert: no decode delegate for this image format `' @ error/constitute.c" },
    null,
    'UNSUPPORTED_FORMAT',
  ],
  [
    { exitCode: 1, stderr: "convert: attempt to perform an operation not allowed by the security policy `PDF'" },
    null,
    'UNSUPPORTED_FORMAT',
  ],
  [
    { exitCode: 1, stderr: '[asf] DRM protected stream detected\nInvalid data found when processing input' },
    null,
    'ENCRYPTED',
  ],
  [
    { exitCode: 1, stderr: '[mov] hit EOF while reading sub-sample encryption info\nInvalid data found' },
    null,
    'ENCRYPTED',
  ],
  [{ exitCode: 1, stderr: 'Output file #0 does not contain any stream' }, null, 'NO_MEDIA'],
  [{ exitCode: 1, stderr: '' }, null, 'DAMAGED_FILE'],
];

describe('the end of a tool', () => {
  test.each(TABLE)('%j is %s at once, %s when judged', (end, atOnce, judged) => {
    const error = toolError(end);
    if (atOnce === null) expect(judgeHard(error)).toBe(error);
    else expect(judgeHard(error)).toMatchObject({ name: 'MediaError', code: atOnce, cause: error });
    expect(judge(error)).toMatchObject({ name: 'MediaError', code: judged, cause: error });
  });

  test('that tells nothing is what the caller says', () => {
    expect(judge(toolError({ exitCode: 1, stopped: undefined }), 'INTERNAL')).toMatchObject({ code: 'INTERNAL' });
  });

  test('nothing of a tool’s words reaches the uploader', () => {
    const judged = judge(
      toolError({ exitCode: 1, stderr: '/scratch/x: Invalid data found', stopped: undefined }),
    ) as Error;
    expect(judged.message).toBe('The file is damaged and can not be decoded.');
  });

  test.each([new Error('cancelled'), 'text', undefined])('other errors pass as they are: %p', (error) => {
    expect(judge(error)).toBe(error);
    expect(judgeHard(error)).toBe(error);
  });

  test('well, but with something run out on the way, is no success', () => {
    const result = { stdout: '', wallMs: 1, peakMemoryKiB: 1 };
    expect(refuseExhausted('ffmpeg', { ...result, stderr: 'some warning' })).toMatchObject(result);
    expect(() => refuseExhausted('ffmpeg', { ...result, stderr: 'a.m4s: No space left on device' })).toThrow(
      expect.objectContaining({ code: 'NO_SPACE' }),
    );
  });
});
