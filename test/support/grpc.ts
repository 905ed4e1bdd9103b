/** A client that knows nothing of us but an address: it learns the services by reflection, as grpcurl does. */
import {
  Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type StatusObject,
} from '@grpc/grpc-js';
import {
  fromJSON,
  loadFileDescriptorSetFromBuffer,
  type MessageTypeDefinition,
  type ServiceDefinition,
} from '@grpc/proto-loader';
import { LOADING } from '../../src/starters/grpc/definition.js';

/** github.com/grpc/grpc, src/proto/grpc/reflection/v1/reflection.proto: the part that is needed. */
const REFLECTION = fromJSON({
  nested: {
    Request: { fields: { fileContainingSymbol: { type: 'string', id: 4 }, listServices: { type: 'string', id: 7 } } },
    Files: { fields: { fileDescriptorProto: { rule: 'repeated', type: 'bytes', id: 1 } } },
    Service: { fields: { name: { type: 'string', id: 1 } } },
    Services: { fields: { service: { rule: 'repeated', type: 'Service', id: 1 } } },
    Response: {
      fields: { fileDescriptorResponse: { type: 'Files', id: 4 }, listServicesResponse: { type: 'Services', id: 6 } },
    },
    ServerReflection: {
      methods: {
        ServerReflectionInfo: {
          requestType: 'Request',
          requestStream: true,
          responseType: 'Response',
          responseStream: true,
          comment: '',
        },
      },
    },
  },
});

interface ReflectionAnswer {
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
}

async function ask(address: string, request: object): Promise<ReflectionAnswer> {
  const { ServerReflectionInfo: method } = REFLECTION['ServerReflection'] as ServiceDefinition;
  const client = new Client(address, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      const call = client.makeBidiStreamRequest(
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        method!.requestSerialize,
        method!.responseDeserialize,
      );
      call.on('data', resolve).on('error', reject);
      call.write(request);
      call.end();
    });
  } finally {
    client.close();
  }
}

export async function listServices(address: string): Promise<string[]> {
  const { listServicesResponse } = await ask(address, { listServices: '*' });
  return (listServicesResponse?.service ?? []).map(({ name }) => name).sort();
}

/** A FileDescriptorSet is its files, each as field 1. */
function descriptorSet(files: readonly Buffer[]): Buffer {
  const set = fromJSON({ nested: { Set: { fields: { file: { rule: 'repeated', type: 'bytes', id: 1 } } } } });
  return (set['Set'] as unknown as { serialize(value: object): Buffer }).serialize({ file: files });
}

/**
 * Fields have the names of the definition (`snake`, `camel`). A map is what it is on the wire: a list of `{key, value}`;
 * protobufjs reads no maps from descriptors.
 *
 * @param service full name
 */
export async function clientByReflection(
  address: string,
  service: string,
): Promise<InstanceType<ServiceClientConstructor>> {
  const { fileDescriptorResponse } = await ask(address, { fileContainingSymbol: service });
  const definition = loadFileDescriptorSetFromBuffer(
    descriptorSet(fileDescriptorResponse?.fileDescriptorProto ?? []),
    LOADING,
  );
  const constructor = service
    .split('.')
    .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], loadPackageDefinition(definition));
  return new (constructor as ServiceClientConstructor)(address, credentials.createInsecure());
}

/** @param key null: none */
export function withKey(key: string | null): Metadata {
  const metadata = new Metadata();
  if (key !== null) metadata.set('authorization', `Bearer ${key}`);
  return metadata;
}

/** github.com/googleapis/googleapis, google/rpc/status.proto and error_details.proto, as any client has them. */
const RPC = fromJSON(
  {
    nested: {
      Any: { fields: { typeUrl: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
      Status: {
        fields: {
          code: { type: 'int32', id: 1 },
          message: { type: 'string', id: 2 },
          details: { rule: 'repeated', type: 'Any', id: 3 },
        },
      },
      ErrorInfo: {
        fields: {
          reason: { type: 'string', id: 1 },
          domain: { type: 'string', id: 2 },
          metadata: { keyType: 'string', type: 'string', id: 3 } as never,
        },
      },
      Duration: { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } },
      RetryInfo: { fields: { retryDelay: { type: 'Duration', id: 1 } } },
    },
  },
  { defaults: true, longs: Number },
);

export interface ErrorInfo {
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly retryAfter?: number;
}

/** The details that an error carries for programs. */
export function errorInfo({ metadata }: Pick<StatusObject, 'metadata'>): ErrorInfo {
  const decode = <T>(name: string, bytes: Buffer): T =>
    (RPC[name] as unknown as MessageTypeDefinition<object, object>).deserialize(bytes) as T;
  const [bytes] = metadata.get('grpc-status-details-bin');
  const { details } = decode<{ details: { typeUrl: string; value: Buffer }[] }>('Status', bytes as Buffer);
  const named = (name: string) => details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${name}`);
  const retry = named('RetryInfo');
  return {
    ...decode<ErrorInfo>('ErrorInfo', named('ErrorInfo')!.value),
    ...(retry && {
      retryAfter: decode<{ retryDelay: { seconds: number } }>('RetryInfo', retry.value).retryDelay.seconds,
    }),
  };
}

function renamed(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => renamed(one, rename));
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [rename(name), renamed(one, rename)]));
}

/** `fileName` to `file_name`: what a client by reflection is given. */
export const snake = (message: object): object =>
  renamed(message, (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)) as object;

/** And back. */
export const camel = <T>(message: unknown): T =>
  renamed(message, (name) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())) as T;
