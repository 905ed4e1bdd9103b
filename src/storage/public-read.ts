/** The bucket policy by which everybody may read objects, and not list them: all but what `asset.json` keeps of an uploader. */
export function publicReadPolicy(bucket: string): string {
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: ['*'] },
    Action: ['s3:GetObject'],
    // Not a second statement that denies: on AWS that would be for us, too.
    NotResource: [`arn:aws:s3:::${bucket}/assets/*/asset.json`],
  };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
}
