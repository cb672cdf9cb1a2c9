import type { protos } from '@google-cloud/pubsub';
import { invalid } from './errors.ts';

/** The fields that an update names: `ack_deadline_seconds` over gRPC, `ackDeadlineSeconds` in JSON. */
export function readMask<Field extends string>(
  mask: protos.google.protobuf.IFieldMask | null | undefined,
  fields: readonly Field[],
  resource: string,
): Field[] {
  const paths = mask?.paths ?? [];
  if (paths.length === 0) throw invalid('The update_mask must be set, and must name at least one field.');
  return paths.map((path) => {
    const field = fields.find(
      (one) => one === path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    );
    if (!field) throw invalid(`Invalid update_mask: ${path} cannot be updated in a ${resource}.`);
    return field;
  });
}
