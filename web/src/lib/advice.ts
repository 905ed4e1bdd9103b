/** What can be done about a failure: the second half of what a person is told. The first is the server's sentence. */
import type { ErrorCode } from '../../../src/contracts/errors.js';

const NEW_FILE = 'Upload the original file, or export it again from the program that made it.';
const SMALLER = 'Upload a smaller version, or ask whoever runs this service to raise the limit.';
const AGAIN = 'Nothing is wrong with your file. Try again in a few minutes.';

const ADVICE: Record<ErrorCode, string> = {
  OBJECT_MISSING: 'Upload the file again.',
  OBJECT_GONE: 'Upload the file again.',
  OBJECT_EMPTY: 'The file holds 0 bytes. Check it on your disk, then upload it again.',
  OBJECT_IS_DIRECTORY: 'Upload the files in the folder instead.',
  OBJECT_KEY_INVALID: 'Rename the file and upload it again.',
  UNSUPPORTED_TYPE: 'Videos, sound and pictures can be uploaded here. If it is one of these, export it as MP4 or JPEG.',
  UNSUPPORTED_FORMAT: 'Export it as MP4 (H.264), MP3, JPEG or PNG and upload that.',
  DAMAGED_FILE: NEW_FILE,
  TRUNCATED_FILE: `It was probably not copied to the end. ${NEW_FILE}`,
  ENCRYPTED: 'Remove the password or copy protection, then upload it again.',
  NO_MEDIA: 'Check that this is the right file.',
  PROFILE_UNKNOWN: 'Choose another profile and process it again.',
  TARGET_UNKNOWN: 'Ask whoever runs this service to set it up.',
  LIMIT_BYTES: SMALLER,
  LIMIT_DURATION: 'Cut it into shorter parts, or ask whoever runs this service to raise the limit.',
  LIMIT_PIXELS: SMALLER,
  LIMIT_SIDE: SMALLER,
  LIMIT_FRAMES: 'Upload it as a video instead, or ask whoever runs this service to raise the limit.',
  DECODER_CRASHED: NEW_FILE,
  DECODER_TIMEOUT: NEW_FILE,
  DECODER_LIMIT: SMALLER,
  VERIFY_FAILED: 'Process it again. If that does not help, export it again and upload that.',
  TO_FOLLOW: 'Nothing is to be done: it is being made, and follows by itself.',
  CANCELLED: 'Process it again whenever you like.',
  NO_SPACE: AGAIN,
  STORE_UNAVAILABLE: AGAIN,
  CATALOGUE_UNAVAILABLE: AGAIN,
  EVENTS_UNAVAILABLE: AGAIN,
  TARGET_UNAVAILABLE: AGAIN,
  TOOL_STALLED: 'Process it again.',
  INTERNAL: 'Nothing is wrong with your file. Process it again.',
};

export const adviceFor = (code: string): string =>
  (ADVICE as Readonly<Record<string, string>>)[code] ?? ADVICE.INTERNAL;
