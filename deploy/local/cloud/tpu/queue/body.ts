import * as z from 'zod';
import { checkId, checkNode, NodeBody, parse } from '../nodes/body.ts';
import { badRequest, TpuError } from '../tpuError.ts';
import type { QueuedResource } from './queuedResource.ts';

const duration = z.string().regex(/^\d+(\.\d{1,9})?s$/);
const QueueingPolicy = z.strictObject({
  validUntilDuration: duration.optional(),
  validUntilTime: z.iso.datetime({ offset: true }).optional(),
  validAfterDuration: duration.optional(),
  validAfterTime: z.string().optional(),
  validInterval: z.unknown().optional(),
});
export type QueueingPolicy = z.infer<typeof QueueingPolicy>;

const Body = z.strictObject({
  name: z.string().optional(),
  tpu: z
    .strictObject({
      nodeSpec: z.array(
        z.strictObject({
          parent: z.string(),
          nodeId: z.string().optional(),
          multisliceParams: z.unknown().optional(),
          node: NodeBody,
        }),
      ),
    })
    .optional(),
  spot: z.strictObject({}).optional(),
  guaranteed: z.strictObject({ minDuration: duration.optional() }).optional(),
  queueingPolicy: QueueingPolicy.optional(),
  reservationName: z.string().optional(),
});

/** What a request describes. @throws 400 in Google's words */
export function readQueued(
  key: { zone: string; name: string },
  parent: string,
  given: unknown,
): QueuedResource {
  const { tpu, spot, guaranteed, queueingPolicy, reservationName } = parse(Body, given, 'queued_resource');
  const [spec, ...more] = tpu?.nodeSpec ?? [];
  if (!spec) throw badRequest('At least one node spec must be specified.');
  if (more.length > 0 || spec.multisliceParams || reservationName)
    throw new TpuError(
      501,
      'UNIMPLEMENTED',
      'The local Cloud TPU has one node for each queued resource, and no reservations.',
    );
  if (spec.parent.replace(/^projects\/[^/]+/, '') !== parent.replace(/^projects\/[^/]+/, ''))
    throw badRequest(`The parent of the node "${spec.parent}" is not that of the queued resource.`);
  if (spot && guaranteed) throw badRequest('Only one tier may be specified.');
  const accelerator = checkNode(key.zone, spec.node);
  const created = new Date().toISOString();
  const validUntil = untilOf(queueingPolicy, created);
  const { schedulingConfig } = spec.node;
  return {
    ...key,
    state: 'CREATING',
    initiator: 'USER',
    created,
    ...(validUntil ? { validUntil } : {}),
    ...(queueingPolicy ? { queueingPolicy } : {}),
    ...(guaranteed ? { guaranteed } : {}),
    provisioningModel: spot || schedulingConfig?.spot || schedulingConfig?.preemptible ? 'SPOT' : 'STANDARD',
    acceleratorType: accelerator.name,
    nodeId: checkId('node ID', spec.nodeId),
    node: spec.node,
  };
}

function untilOf(policy: QueueingPolicy | undefined, created: string): string | undefined {
  const { validUntilDuration, validUntilTime, ...others } = policy ?? {};
  if (Object.values(others).some((one) => one !== undefined))
    throw new TpuError(501, 'UNIMPLEMENTED', 'The local Cloud TPU knows validUntil, and no other policy.');
  if (validUntilTime) return new Date(validUntilTime).toISOString();
  if (!validUntilDuration) return undefined;
  return new Date(Date.parse(created) + Number.parseFloat(validUntilDuration) * 1000).toISOString();
}
