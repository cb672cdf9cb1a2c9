import * as z from 'zod';
import { type AcceleratorType, acceleratorIn, acceleratorTypes, runtimeVersions } from '../catalogue.ts';
import { badRequest, invalid, TpuError } from '../tpuError.ts';

/** What is misspelled here costs money, and what is misspelled Google refuses. */
export const NodeBody = z.strictObject({
  name: z.string().optional(),
  description: z.string().max(512).optional(),
  acceleratorType: z.string().optional(),
  acceleratorConfig: z.strictObject({ type: z.string(), topology: z.string() }).optional(),
  runtimeVersion: z.string().optional(),
  networkConfig: z
    .strictObject({
      network: z.string().optional(),
      subnetwork: z.string().optional(),
      enableExternalIps: z.boolean().optional(),
      canIpForward: z.boolean().optional(),
      queueCount: z.number().int().optional(),
    })
    .optional(),
  networkConfigs: z.array(z.unknown()).optional(),
  cidrBlock: z.string().optional(),
  serviceAccount: z
    .strictObject({ email: z.string().optional(), scope: z.array(z.string()).optional() })
    .optional(),
  schedulingConfig: z
    .strictObject({
      preemptible: z.boolean().optional(),
      spot: z.boolean().optional(),
      reserved: z.boolean().optional(),
    })
    .optional(),
  labels: z.record(z.string(), z.string()).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  tags: z.array(z.string()).optional(),
  dataDisks: z.array(z.unknown()).optional(),
  bootDiskConfig: z.unknown().optional(),
  shieldedInstanceConfig: z.unknown().optional(),
});
export type NodeBody = z.infer<typeof NodeBody>;

/** @throws 400 in Google's words for a field that is not there, or has another type */
export function parse<T>(schema: z.ZodType<T>, given: unknown, at: string): T {
  const parsed = schema.safeParse(given ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = [at, ...(issue?.path ?? [])].join('.');
  throw invalid(
    issue?.code === 'unrecognized_keys'
      ? `Invalid JSON payload received. Unknown name "${issue.keys[0]}" at '${path}': Cannot find field.`
      : `Invalid value at '${path}': ${issue?.message}`,
  );
}

export function checkId(what: string, id: string | undefined): string {
  if (id !== undefined && /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(id)) return id;
  throw badRequest(`The ${what} "${id ?? ''}" is invalid.`);
}

/** What can be judged of a node at once. @throws 400 in Google's words */
export function checkNode(zone: string, body: NodeBody): AcceleratorType {
  const { acceleratorType, acceleratorConfig, runtimeVersion, labels = {} } = body;
  if (body.dataDisks?.length || body.networkConfigs?.length || body.schedulingConfig?.reserved)
    throw new TpuError(
      501,
      'UNIMPLEMENTED',
      'The local Cloud TPU has no data disks, further networks or reservations.',
    );
  const name =
    acceleratorType ??
    acceleratorTypes.find(
      ({ type, topology }) => type === acceleratorConfig?.type && topology === acceleratorConfig.topology,
    )?.name;
  if (!name) throw badRequest('Either accelerator type or accelerator config must be specified.');
  const accelerator = acceleratorIn(zone, name);
  if (!accelerator)
    throw badRequest(
      `The requested accelerator configuration for accelerator type, "${name}", could not be found in the zonal accelerator configurations for "${zone}".; the accelerator ${name} was not found in zone ${zone}`,
    );
  if (!runtimeVersion || !runtimeVersions.includes(runtimeVersion))
    throw badRequest(`The runtime version "${runtimeVersion ?? ''}" is invalid or not found.`);
  for (const [key, value] of Object.entries(labels))
    if (!/^[a-z][a-z0-9_-]{0,62}$/.test(key) || !/^[a-z0-9_-]{0,63}$/.test(value))
      throw badRequest(`The label "${key}": "${value}" is invalid.`);
  return accelerator;
}
