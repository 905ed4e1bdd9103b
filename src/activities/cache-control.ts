/** A generation is never written again: what a cache has of it stays true. */
export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** What a repair writes again. */
export const CHANGEABLE = 'public, max-age=60';
