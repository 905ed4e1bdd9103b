/**
 * The closed list of failures that an uploader, an operator or another service can meet.
 *
 * A code is stable: it appears in `asset.json`, in the search attribute `FailureCode`, in
 * dead-letter headers and in result events. Retryable codes are Temporal's to retry; permanent
 * ones reach the uploader as they are.
 */

interface ErrorSpec {
  /** What the uploader reads. A detail (a number, a format name) may follow it. */
  readonly sentence: string;
  /** After how many attempts of a step this failure is final. 1: doing the same again can't help. */
  readonly attempts: number;
}

const permanent = (sentence: string): ErrorSpec => ({ sentence, attempts: 1 });
/** Worth a second look in a fresh process; then it is the file's fault. */
const suspicious = (sentence: string): ErrorSpec => ({ sentence, attempts: 2 });
/** Ours to mend: tried again as often as the step's own time bound allows. */
const outage = (sentence: string): ErrorSpec => ({ sentence, attempts: Infinity });

export const ERRORS = {
  // The object
  OBJECT_MISSING: permanent('The uploaded object does not exist.'),
  OBJECT_GONE: permanent('The uploaded object was deleted or replaced while it was being processed.'),
  OBJECT_EMPTY: permanent('The uploaded file is empty.'),
  OBJECT_IS_DIRECTORY: permanent('The object key names a directory, not a file.'),
  OBJECT_KEY_INVALID: permanent('The object key can not be used.'),

  // What is in it
  UNSUPPORTED_TYPE: permanent('This type of file can not be processed.'),
  UNSUPPORTED_FORMAT: permanent('No installed decoder reads this format.'),
  DAMAGED_FILE: permanent('The file is damaged and can not be decoded.'),
  TRUNCATED_FILE: permanent('The file ends before its content does.'),
  ENCRYPTED: permanent('The file is encrypted.'),
  NO_MEDIA: permanent('The file has no picture and no sound.'),

  // What was asked for
  PROFILE_UNKNOWN: permanent('There is no such profile.'),
  TARGET_UNKNOWN: permanent('There is no such target.'),

  // Limits
  LIMIT_BYTES: permanent('The file is larger than allowed.'),
  LIMIT_DURATION: permanent('The media is longer than allowed.'),
  LIMIT_PIXELS: permanent('The picture has more pixels than allowed.'),
  LIMIT_SIDE: permanent('The picture is wider or higher than allowed.'),
  LIMIT_FRAMES: permanent('The animation has more frames than allowed.'),

  // Decoders that gave way
  DECODER_CRASHED: suspicious('The decoder crashed on this file.'),
  DECODER_TIMEOUT: suspicious('Decoding this file took longer than allowed.'),
  DECODER_LIMIT: permanent('Decoding this file needed more memory, time or space than allowed.'),

  // The result
  VERIFY_FAILED: permanent('The result did not pass verification.'),
  CANCELLED: permanent('Processing was cancelled.'),
  TO_FOLLOW: permanent('Left for later, to be published by its deadline; it follows.'),

  // Not the file's fault
  NO_SPACE: outage('The worker ran out of scratch space.'),
  STORE_UNAVAILABLE: outage('The object store can not be reached.'),
  CATALOGUE_UNAVAILABLE: outage('The catalogue can not be reached.'),
  EVENTS_UNAVAILABLE: outage('The event broker can not be reached.'),
  TARGET_UNAVAILABLE: outage('A target did not take the delivery.'),
  TOOL_STALLED: { sentence: 'The encoder made no progress.', attempts: 3 },
  INTERNAL: { sentence: 'Something went wrong on our side.', attempts: 5 },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/** What an uploader is told: a stable code and a sentence. */
export interface PublicError {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * A failure with a code from the closed list.
 *
 * @param detail public too: it is appended to the code's sentence. Numbers, formats and names of
 *   limits belong here; paths, hosts and tool output do not (put those in `cause`).
 */
export class MediaError extends Error {
  readonly code: ErrorCode;
  /** Whoever threw it has tried again already: no further attempt. */
  readonly final: boolean;

  constructor(code: ErrorCode, detail?: string, options?: { cause?: unknown; final?: boolean }) {
    super(detail ? `${ERRORS[code].sentence} ${detail}` : ERRORS[code].sentence, options);
    this.name = 'MediaError';
    this.code = code;
    this.final = options?.final ?? false;
  }

  /** Jest and bundlers evaluate modules more than once: match by shape, not by identity. */
  static is(error: unknown): error is MediaError {
    return error instanceof Error && error.name === 'MediaError' && isErrorCode((error as MediaError).code);
  }
}
