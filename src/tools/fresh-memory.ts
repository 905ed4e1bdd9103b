/**
 * glibc fills what it hands out with zeros, and what it takes back with ones (mallopt(3), M_PERTURB): a decoder that
 * shows memory which it never wrote shows black, the same each time, and never what is left of another picture. Some
 * do: libde265 does of a damaged HEIC. It takes 8 % of the work on a photograph of 12 megapixels.
 */
export const FRESH_MEMORY = { MALLOC_PERTURB_: '255' };
