import { IMAGE_KEYS } from '../contracts/image.js';

/** `outputs`: all but what `asset.json` keeps of an uploader. `images`: their variants, and posters. */
export type PublicRead = 'outputs' | 'images';

/** The bucket policy by which everybody may read objects, and not list them. */
export function publicReadPolicy(bucket: string, what: PublicRead): string {
  const place = `arn:aws:s3:::${bucket}/`;
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: ['*'] },
    Action: ['s3:GetObject'],
    ...(what === 'images'
      ? { Resource: [place + IMAGE_KEYS] }
      : // Not a second statement that denies: on AWS that would be for us, too.
        { NotResource: [`${place}assets/*/asset.json`] }),
  };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
}
