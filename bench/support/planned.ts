/** What the default profile makes of a photograph. */
import { loadProfiles } from '../../src/config/index.js';
import type { ImageVariant } from '../../src/contracts/image.js';
import { planImage } from '../../src/media/image/plan.js';
import type { Photo } from './photo.js';

export function plannedVariants({ width, height }: Photo): readonly ImageVariant[] {
  const facts = { width, height, orientation: 1, format: 'jpeg', hasAlpha: false, pages: 1 };
  return planImage(facts, 'sharp', loadProfiles('').get('default').image).variants;
}
