/** An asset as the old image service's clients know it. Pure. */
import { Type, type Static } from 'typebox';
import type { AssetRow } from '../../catalogue/catalogue.js';
import { ERRORS } from '../../contracts/errors.js';
import { AssetId } from '../assets/schemas.js';

export const ImageSchema = Type.Object({
  media_id: AssetId,
  state: Type.Enum(['Processing', 'Completed', 'Error']),
  message: Type.String({ description: 'For people.' }),
  code: Type.String({ description: 'Why it failed: one of the closed list in docs/errors. Empty of all else.' }),
  service: Type.String({ description: 'Who made it.' }),
  media_type: Type.String({ description: 'As it was uploaded.' }),
});
export type Image = Static<typeof ImageSchema>;

const SERVICE = 'mediamill';
const UNKNOWN_TYPE = 'application/octet-stream';

export type ImageRow = Pick<AssetRow, 'id' | 'state' | 'kind' | 'generation' | 'error' | 'contentType'>;

/** What was said to be one, whatever it turned out to be, is answered for. */
export const isImage = ({ state, kind, contentType }: Pick<ImageRow, 'state' | 'kind' | 'contentType'>): boolean =>
  state !== 'deleted' && (kind === 'image' || (contentType?.startsWith('image/') ?? false));

export function imageOf(row: ImageRow): Image {
  return { media_id: row.id, ...standing(row), service: SERVICE, media_type: row.contentType ?? UNKNOWN_TYPE };
}

function standing({ state, kind, generation, error }: ImageRow): Pick<Image, 'state' | 'message' | 'code'> {
  // It is processed as what it is; for these clients nothing comes of it.
  if (kind !== 'image' && kind !== null) return failure('UNSUPPORTED_TYPE');
  if (generation > 0) return { state: 'Completed', message: 'The thumbnail is ready.', code: '' };
  if (state === 'failed' || state === 'cancelled') return failure(error?.code ?? 'CANCELLED', error?.message);
  return { state: 'Processing', message: 'The image is being processed.', code: '' };
}

const failure = (code: keyof typeof ERRORS, message: string = ERRORS[code].sentence) =>
  ({ state: 'Error', message, code }) as const;
