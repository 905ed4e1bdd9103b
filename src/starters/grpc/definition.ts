/** The service as `proto/mediamill/v1/video.proto` defines it. */
import { fileURLToPath } from 'node:url';

import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';

const PROTO = fileURLToPath(new URL('../../../proto/', import.meta.url));

/** How messages look in JavaScript: `messages.ts`. */
export const LOADING = { longs: Number, enums: String, defaults: true, oneofs: true } as const;

export const PACKAGE = loadSync('mediamill/v1/video.proto', { ...LOADING, includeDirs: [PROTO] });

export const SERVICE = 'mediamill.v1.VideoService';

export const videoService = PACKAGE[SERVICE] as ServiceDefinition;
