/** What reflection tells is what the service speaks: `npm run proto` was not forgotten. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor.js';

const PROTO = join(import.meta.dirname, '../../../proto');

/** Names, numbers and types of everything in a package, as text. */
function outline(root: protobuf.NamespaceBase, name: string): string[] {
  const lines: string[] = [];
  const type = (field: protobuf.Field): string =>
    field instanceof protobuf.MapField
      ? `map<${field.keyType}, ${field.type}>`
      : `${field.repeated ? 'repeated ' : ''}${field.resolvedType?.fullName ?? field.type}`;
  const visit = (at: protobuf.NamespaceBase): void => {
    for (const nested of at.nestedArray) {
      if (nested instanceof protobuf.Type && !nested.name.endsWith('Entry')) {
        for (const field of nested.fieldsArray)
          lines.push(`${nested.fullName}.${protobuf.util.camelCase(field.name)} ${type(field)} = ${field.id}`);
        for (const { name: one, oneof } of nested.oneofsArray)
          if (!one.startsWith('_'))
            lines.push(`${nested.fullName}.${one}: ${oneof.map(protobuf.util.camelCase).join(' ')}`);
      } else if (nested instanceof protobuf.Enum) {
        for (const [value, id] of Object.entries(nested.values)) lines.push(`${nested.fullName}.${value} = ${id}`);
      } else if (nested instanceof protobuf.Service) {
        for (const method of nested.methodsArray) {
          const { requestStream, responseStream, resolvedRequestType: from, resolvedResponseType: to } = method;
          const stream = (streams: boolean | undefined) => (streams ? 'stream ' : '');
          lines.push(
            `${method.fullName} ${stream(requestStream)}${from?.fullName} ${stream(responseStream)}${to?.fullName}`,
          );
        }
      }
    }
  };
  visit(root.lookup(name) as protobuf.NamespaceBase);
  return lines.sort();
}

it('is made of the definition as it is', () => {
  const root = new protobuf.Root();
  const resolvePath = root.resolvePath.bind(root);
  root.resolvePath = (origin, target) =>
    target.startsWith('google/') ? resolvePath(origin, target) : join(PROTO, target);
  const defined = outline(root.loadSync('mediamill/v1/video.proto').resolveAll(), 'mediamill.v1');
  const { Root } = protobuf as unknown as { Root: { fromDescriptor(set: Uint8Array): protobuf.Root } };
  const reflected = Root.fromDescriptor(readFileSync(join(PROTO, 'descriptors.binpb')));
  expect(defined.length).toBeGreaterThan(90);
  expect(outline(reflected.resolveAll(), 'mediamill.v1')).toEqual(defined);
  expect(reflected.lookupService('grpc.health.v1.Health').methodsArray.length).toBeGreaterThan(1);
});
