import * as z from 'zod';
import { invalid } from './notebooksError.ts';

const int64 = z.union([z.string().regex(/^\d{1,19}$/), z.number().int()]).transform(Number);
const labels = z.record(z.string(), z.string());

const Disk = z.strictObject({
  diskSizeGb: int64.optional(),
  diskType: z
    .enum(['PD_STANDARD', 'PD_SSD', 'PD_BALANCED', 'PD_EXTREME', 'HYPERDISK_BALANCED'])
    .default('PD_BALANCED'),
  diskEncryption: z.enum(['GMEK', 'CMEK']).optional(),
  kmsKey: z.string().optional(),
  resourcePolicies: z.array(z.string()).optional(),
});

const GceSetup = z.strictObject({
  machineType: z.string().default('e2-standard-4'),
  acceleratorConfigs: z
    .array(z.strictObject({ type: z.string(), coreCount: int64.default(1) }))
    .max(1)
    .default([]),
  serviceAccounts: z
    .array(z.strictObject({ email: z.string().optional(), scopes: z.array(z.string()).optional() }))
    .max(1)
    .default([]),
  bootDisk: Disk.prefault({}),
  dataDisks: z.array(Disk).max(1).default([]),
  vmImage: z
    .strictObject({ project: z.string(), name: z.string().optional(), family: z.string().optional() })
    .optional(),
  containerImage: z.unknown().optional(),
  metadata: labels.default({}),
  networkInterfaces: z
    .array(
      z.strictObject({
        network: z.string().optional(),
        subnet: z.string().optional(),
        nicType: z.string().optional(),
        accessConfigs: z.array(z.unknown()).optional(),
        internalIp: z.string().optional(),
      }),
    )
    .max(1)
    .default([]),
  tags: z.array(z.string()).default([]),
  disablePublicIp: z.boolean().optional(),
  enableIpForwarding: z.boolean().optional(),
  gpuDriverConfig: z.unknown().optional(),
  shieldedInstanceConfig: z.unknown().optional(),
  confidentialInstanceConfig: z.unknown().optional(),
  reservationAffinity: z.unknown().optional(),
  minCpuPlatform: z.string().optional(),
  // What a client read before and sends back; the server knows better.
  instanceId: z.unknown().optional(),
  systemMetadata: z.unknown().optional(),
});

const outputOnly = Object.fromEntries(
  [
    'name',
    'id',
    'state',
    'creator',
    'createTime',
    'updateTime',
    'healthState',
    'healthInfo',
    'proxyUri',
    'thirdPartyProxyUrl',
    'upgradeHistory',
    'satisfiesPzi',
    'satisfiesPzs',
  ].map((field) => [field, z.unknown().optional()]),
);

/** What a client may say of an instance. https://cloud.google.com/vertex-ai/docs/workbench/reference/rest/v2 */
const Body = z.strictObject({
  ...outputOnly,
  labels: labels.default({}),
  instanceOwners: z.array(z.string()).max(1).default([]),
  disableProxyAccess: z.boolean().optional(),
  enableDeletionProtection: z.boolean().optional(),
  enableThirdPartyIdentity: z.boolean().optional(),
  enableManagedEuc: z.boolean().optional(),
  gceSetup: GceSetup.prefault({}),
});
export type Body = Pick<
  z.infer<typeof Body>,
  'labels' | 'instanceOwners' | 'disableProxyAccess' | 'enableDeletionProtection' | 'gceSetup'
>;

/** @throws 400 */
export function readBody(given: unknown): Body {
  const parsed = Body.safeParse(given ?? {});
  if (!parsed.success) throw invalid(`Invalid JSON payload received. ${z.prettifyError(parsed.error)}`);
  const { labels, instanceOwners, disableProxyAccess, enableDeletionProtection, gceSetup } = parsed.data;
  if (gceSetup.containerImage) throw invalid('The local Workbench has images of machines only.');
  return { labels, instanceOwners, disableProxyAccess, enableDeletionProtection, gceSetup };
}

export function checkId(id: string): void {
  if (!/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(id))
    throw invalid(
      `Invalid instance id '${id}': it must be 1-63 characters of a-z, 0-9 and -, and begin with a letter.`,
    );
}
