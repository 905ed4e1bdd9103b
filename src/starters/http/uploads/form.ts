/** An upload as a form (RFC 7578): its fields, then one file, streamed. */
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';

import { Busboy, type BusboyHeaders } from '@fastify/busboy';

import { ApiProblem } from '../../../api/problems.js';

export interface UploadForm {
  /** A field that is repeated has all of its values. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
  readonly fileName: string | undefined;
  readonly contentType: string;
  /** Ends when the whole form has been read and is as it must be; fails otherwise. */
  readonly file: Readable;
}

const LIMITS = { fieldNameSize: 100, fieldSize: 64 * 1024, fields: 100, headerPairs: 20 };

const invalid = (detail: string): ApiProblem => new ApiProblem('invalid-request', { detail });

/**
 * Resolves when the file begins.
 *
 * @throws ApiProblem `invalid-request`
 */
export async function readForm(headers: IncomingHttpHeaders, body: Readable): Promise<UploadForm> {
  const form = parserOf(headers);
  const fields: Record<string, string[]> = {};
  let begun = false;
  let fail!: (error: Error) => void;
  const ended = new Promise<void>((resolve, reject) => {
    fail = (error) => {
      reject(asProblem(error));
      body.unpipe(form);
    };
    form.once('finish', () => resolve());
    form.on('error', fail);
    body.once('error', fail);
  });
  const part = new Promise<UploadForm>((resolve, reject) => {
    form.on('field', (name, value, nameCut, valueCut) => {
      if (begun) return fail(invalid('Fields must come before the file.'));
      if (nameCut || valueCut) return fail(invalid(`The field ${name} is too long.`));
      (Object.hasOwn(fields, name) ? fields[name]! : (fields[name] = [])).push(value);
    });
    form.on('fieldsLimit', () => fail(invalid('The form has too many fields.')));
    form.on('file', (_name, stream, fileName, _encoding, contentType) => {
      // It breaks with the form: `ended` says so.
      stream.on('error', () => undefined);
      if (begun) {
        stream.resume();
        return fail(invalid('One file at a time, please.'));
      }
      begun = true;
      const file = Readable.from(wholly(stream, ended), { objectMode: false });
      resolve({ fields, fileName: fileName || undefined, contentType, file });
    });
    ended.then(() => reject(invalid('The form has no file.')), reject);
  });
  body.pipe(form);
  return part;
}

function parserOf(headers: IncomingHttpHeaders): InstanceType<typeof Busboy> {
  try {
    return new Busboy({ headers: headers as BusboyHeaders, limits: LIMITS });
  } catch (error) {
    throw invalid((error as Error).message);
  }
}

async function* wholly(stream: Readable, ended: Promise<void>): AsyncGenerator<Uint8Array> {
  // Whatever breaks the form breaks the file in it.
  ended.catch((error: Error) => stream.destroy(error));
  yield* stream as AsyncIterable<Uint8Array>;
  // What follows the file may still say that all was a mistake.
  await ended;
}

const asProblem = (error: unknown): Error =>
  ApiProblem.is(error) ? error : invalid(`The form can not be read: ${(error as Error).message}`);
