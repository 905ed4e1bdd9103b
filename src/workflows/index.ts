export { deleteAsset } from './delete-asset.js';
export { deliverWebhook } from './deliver-webhook.js';
export { encoderSlots } from './encoder-slots.js';
export { housekeeping } from './housekeeping.js';
export { ingestItem } from './ingest-item.js';
export { processImage } from './process-image.js';
export { processVideo } from './process-video.js';
export { repairVideo } from './repair-video.js';
