/** Uploads as `@tus/server` wants them; how they are stored: `api/uploads/resumable.ts`. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Readable } from 'node:stream';

import { DataStore, Upload } from '@tus/server';

import type { Caller } from '../../../api/caller.js';
import type { ApiContext } from '../../../api/context.js';
import { ApiProblem } from '../../../api/problems.js';
import type { UploadFacts } from '../../../api/uploads/facts.js';
import { openUpload } from '../../../api/uploads/open.js';
import {
  appendTo,
  cancelResumable,
  findResumable,
  finishResumable,
  progressOf,
} from '../../../api/uploads/resumable.js';
import type { UploadRow } from '../../../catalogue/uploads.js';
import type { Priority } from '../../../contracts/assets.js';
import { parseMetadata } from './said.js';

type Metadata = Upload['metadata'];

export class TusStore extends DataStore {
  /** Whose request it is: the library does not know callers. */
  readonly callers = new AsyncLocalStorage<Caller>();

  constructor(private readonly ctx: ApiContext) {
    super();
    this.extensions = ['creation', 'creation-with-upload', 'expiration', 'termination'];
  }

  /** Milliseconds. */
  override getExpiration(): number {
    return this.ctx.config.http.uploadHours * 3_600_000;
  }

  override async create(upload: Upload): Promise<Upload> {
    const { upload: row } = await openUpload(this.ctx, this.#caller(), factsOf(upload), upload.id);
    upload.creation_date = row.createdAt.toISOString();
    return upload;
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const row = await this.#find(id);
    if (row.state === 'complete') return row.size!;
    const { offset: there } = progressOf(row);
    if (there !== offset) throw new ApiProblem('conflict', { detail: `${there} bytes are there.` });
    return appendTo(this.ctx, row, stream);
  }

  override async getUpload(id: string): Promise<Upload> {
    const row = await this.#find(id);
    const { offset } = progressOf(row);
    // Its server died between the last byte and the end: whoever asks next ends it.
    if (row.state === 'open' && offset === row.size) await finishResumable(this.ctx, row);
    return new Upload({
      id,
      size: row.size!,
      offset: row.state === 'complete' ? row.size! : offset,
      creation_date: row.createdAt.toISOString(),
    });
  }

  override async remove(id: string): Promise<void> {
    await cancelResumable(this.ctx, await this.#find(id));
  }

  /** @throws ApiProblem `upload-unknown` */
  async find(id: string): Promise<UploadRow> {
    return findResumable(this.ctx, this.#caller(), id);
  }

  async #find(id: string): Promise<UploadRow> {
    const row = await this.find(id);
    if (row.state !== 'open' && row.state !== 'complete')
      throw new ApiProblem('upload-expired', { detail: `This upload is ${row.state}.` });
    return row;
  }

  #caller(): Caller {
    const caller = this.callers.getStore();
    if (!caller) throw new TypeError('a request of tus without its caller');
    return caller;
  }
}

/** `Upload-Metadata`: the names that clients send by themselves, and ours. Others are nobody's here. */
function factsOf({ size, metadata = {} }: Upload): UploadFacts {
  const text = (...names: string[]): string | undefined =>
    names.map((name) => metadata[name]).find((value) => value !== undefined && value !== null && value !== '') as
      string | undefined;
  return {
    kind: 'tus',
    size,
    sha256: text('sha256'),
    fileName: text('filename', 'name'),
    contentType: text('filetype', 'type'),
    title: text('title'),
    tags: tagsOf(metadata),
    metadata: text('metadata') === undefined ? undefined : parseMetadata(text('metadata')!),
    profile: text('profile'),
    priority: text('priority') === undefined ? undefined : (Number(text('priority')) as Priority),
    publishBy: text('publishBy'),
    publicationTimeout: text('publicationTimeout') === undefined ? undefined : Number(text('publicationTimeout')),
    publishNotBefore: text('publishNotBefore'),
  };
}

/** A list of texts as JSON, or with commas. */
function tagsOf(metadata: NonNullable<Metadata>): string[] | undefined {
  const tags = metadata['tags'];
  if (!tags) return undefined;
  if (!tags.startsWith('[')) return tags.split(',').map((tag) => tag.trim());
  try {
    return JSON.parse(tags) as string[];
  } catch {
    throw new ApiProblem('invalid-request', { detail: 'tags must be a JSON list of texts.' });
  }
}
