/** How pictures of strangers are opened. */
import type { SharpOptions } from 'sharp';

/**
 * `none`: what decodes is shown and what is missing stays grey, as viewers do. Real cameras and phones write files
 * that the stricter levels refuse (an Ultra HDR photograph whose gain map was cut off, for one).
 */
export const TOLERANT: SharpOptions = { failOn: 'none' };
