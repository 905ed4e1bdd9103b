/** What a tool's end means, as a code that Temporal, operators and uploaders understand. */
import { type ErrorCode, MediaError } from '../contracts/errors.js';
import { ToolError } from './tool-error.js';
import type { ToolResult } from './tools.js';

const STOPPED: Readonly<Record<NonNullable<ToolError['stopped']>, ErrorCode>> = {
  'wall-time': 'DECODER_TIMEOUT',
  stalled: 'TOOL_STALLED',
  memory: 'DECODER_LIMIT',
  output: 'DECODER_LIMIT',
};

const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSYS', 'SIGTRAP']);
/** SIGKILL that was not ours: the kernel's out-of-memory killer, or CPU time past its hard limit. */
const LIMITS: ReadonlySet<string> = new Set(['SIGXCPU', 'SIGXFSZ', 'SIGKILL']);

type Patterns = ReadonlyArray<readonly [RegExp, ErrorCode]>;

/** We or the host ran out of something: true whatever else the tool says of the file, and however it exited. */
const EXHAUSTION: Patterns = [
  [/No space left on device|Disk quota exceeded/, 'NO_SPACE'],
  [/Cannot allocate memory|File too large/, 'DECODER_LIMIT'],
];

/** The same in words that a tool which ended well may use too. */
const EXHAUSTION_OF_FAILED: Patterns = [
  ...EXHAUSTION,
  [
    /[Mm]emory allocation failed|bad_alloc|malloc of size|failed to map segment|Resource temporarily unavailable/,
    'DECODER_LIMIT',
  ],
  [
    /width or height exceeds limit|cache resources exhausted|resource limit exceeded|unable to extend cache/,
    'DECODER_LIMIT',
  ],
  [/time limit exceeded/, 'DECODER_TIMEOUT'],
  // All that ImageMagick says when a picture would pass its disk limit.
  [/^[^\n]*no images defined[^\n]*\s*$/, 'DECODER_LIMIT'],
];

/** What the tools say of a file, the more telling first: `Invalid data` follows nearly everything else. */
const CONTENT: Patterns = [
  [/\bencrypt(ed|ion)\b|decryption|needs? a password|Incorrect password|\bDRM\b/i, 'ENCRYPTED'],
  [
    /moov atom not found|[Tt]runcat|[Uu]nexpected end[- ]of[- ]file|improper image header|insufficient image data|premature end/i,
    'DAMAGED_FILE',
  ],
  [
    /Decoder \(codec .*\) not found|Unknown decoder|no decode delegate|not authorized|not allowed by the security policy|Decoding requested, but no decoder found|Unsupported codec|not implemented|Not yet implemented|unrecognized image format|Unsupported feature/i,
    'UNSUPPORTED_FORMAT',
  ],
  [/Picture size .* is invalid/, 'DECODER_LIMIT'],
  [/does not contain any stream|matches no streams/i, 'NO_MEDIA'],
  [
    /Invalid data found|Error while decoding|[Cc]orrupt|could not find codec parameters|Invalid argument|End of file|Header missing|Not a [A-Z]+ file|bad [a-z]+ (marker|header)|Conversion failed/i,
    'DAMAGED_FILE',
  ],
];

/** Judged by how it ended and what ran out; null where only the content can be to blame and the caller should judge. */
export function judgeEnd(error: ToolError): ErrorCode | null {
  if (error.stopped) return STOPPED[error.stopped];
  const exhausted = firstMatch(EXHAUSTION_OF_FAILED, error.stderr);
  if (exhausted !== null) return exhausted;
  if (error.signal === null) return null;
  if (CRASHES.has(error.signal)) return 'DECODER_CRASHED';
  // TERM, INT, HUP: somebody ended it from outside, which says nothing about the file.
  return LIMITS.has(error.signal) ? 'DECODER_LIMIT' : 'INTERNAL';
}

/**
 * The MediaError for a tool that failed on a file, with the ToolError as its cause. Errors of other kinds pass as
 * they are, cancellation among them.
 *
 * @param otherwise for an exit that tells nothing: a decoder's is the file's fault, an encoder's perhaps not.
 */
export function judge(error: unknown, otherwise: ErrorCode = 'DAMAGED_FILE'): unknown {
  if (!ToolError.is(error)) return error;
  return new MediaError(judgeEnd(error) ?? firstMatch(CONTENT, error.stderr) ?? otherwise, undefined, { cause: error });
}

/**
 * ffmpeg exits with 0 though frames could not be decoded or a segment could not be written, as long as something was.
 *
 * @throws MediaError when the reason was that something ran out.
 */
export function refuseExhausted(tool: string, result: ToolResult): ToolResult {
  const code = firstMatch(EXHAUSTION, result.stderr);
  if (code === null) return result;
  throw new MediaError(code, undefined, {
    cause: new ToolError({ tool, end: { exitCode: 0, signal: null }, ...result }),
  });
}

/** For the tools themselves: everything but a plain non-zero exit becomes a MediaError. */
export function judgeHard(error: unknown): unknown {
  if (!ToolError.is(error)) return error;
  const code = judgeEnd(error);
  return code === null ? error : new MediaError(code, undefined, { cause: error });
}

function firstMatch(patterns: Patterns, text: string): ErrorCode | null {
  return patterns.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
