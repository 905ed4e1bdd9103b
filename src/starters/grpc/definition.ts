/** The service as `proto/mediamill/v1/video.proto` defines it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  fromJSON,
  loadSync,
  type MessageTypeDefinition,
  type PackageDefinition,
  type ServiceDefinition,
} from '@grpc/proto-loader';

const PROTO = fileURLToPath(new URL('../../../proto/', import.meta.url));

/** How messages look in JavaScript: `messages.ts`. */
export const LOADING = { longs: Number, enums: String, defaults: true, oneofs: true } as const;

export const PACKAGE = loadSync('mediamill/v1/video.proto', { ...LOADING, includeDirs: [PROTO] });

export const SERVICE = 'mediamill.v1.VideoService';

export const videoService = PACKAGE[SERVICE] as ServiceDefinition;

/**
 * For the reflection service: what `npm run proto` made with the real compiler. The loader's own descriptors have
 * neither imports nor proper names for maps and fields, and grpcurl refuses them.
 */
export function reflected(): PackageDefinition {
  const set = fromJSON({
    nested: { FileDescriptorSet: { fields: { file: { rule: 'repeated', type: 'bytes', id: 1 } } } },
  });
  const { deserialize } = set['FileDescriptorSet'] as MessageTypeDefinition<object, { file: Buffer[] }>;
  const { file } = deserialize(readFileSync(join(PROTO, 'descriptors.binpb')));
  return { all: { format: 'Protocol Buffer 3 EnumDescriptorProto', type: {}, fileDescriptorProtos: file } };
}
