import { createHash } from 'node:crypto';

/** What a machine can ask about itself. Its owner changes it, and then calls `changed` of the metadata server. */
export type MachineMetadata = {
  /** A number, in digits. */
  id: string;
  name: string;
  /** `europe-west4-a` */
  zone: string;
  /** `n1-standard-4` */
  machineType: string;
  project: string;
  numericProject: string;
  /** Also `startup-script`, and `enable-guest-attributes`, which must be `TRUE` before the guest may write any. */
  attributes: Record<string, string>;
  preempted: boolean;
  scheduling: { preemptible: boolean; automaticRestart: boolean; onHostMaintenance: 'MIGRATE' | 'TERMINATE' };
  /** A machine may be without one. */
  serviceAccount?: { email: string; scopes: string[] };
  /** What the guest wrote: by namespace, then by key. */
  guestAttributes: Record<string, Record<string, string>>;
};

/** Asked for anew each time, and never part of a recursive answer. */
type Secret = () => Promise<object>;
/** A number may have more digits than a double holds, as an instance's id has. */
export type Value = string | bigint | string[] | Secret;
export type Folder = { [key: string]: Value | Folder };

export const isFolder = (node: Value | Folder | undefined): node is Folder =>
  typeof node === 'object' && !Array.isArray(node);

/**
 * Everything below `/computeMetadata/v1/`.
 * https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys
 */
export function treeOf(machine: MachineMetadata, mintToken: Secret): Folder {
  const { id, name, zone, machineType, project, numericProject, scheduling, serviceAccount } = machine;
  const account = serviceAccount && {
    aliases: ['default'],
    email: serviceAccount.email,
    scopes: serviceAccount.scopes,
    token: mintToken,
  };
  return {
    instance: {
      attributes: machine.attributes,
      ...(areGuestAttributesOn(machine) ? { 'guest-attributes': machine.guestAttributes } : {}),
      hostname: `${name}.${zone}.c.${project}.internal`,
      id: BigInt(id),
      'machine-type': `projects/${numericProject}/machineTypes/${machineType}`,
      name,
      preempted: upperCase(machine.preempted),
      scheduling: {
        'automatic-restart': upperCase(scheduling.automaticRestart),
        'on-host-maintenance': scheduling.onHostMaintenance,
        preemptible: upperCase(scheduling.preemptible),
      },
      'service-accounts': account ? { [account.email]: account, default: account } : {},
      zone: `projects/${numericProject}/zones/${zone}`,
    },
    project: {
      attributes: {},
      'numeric-project-id': BigInt(numericProject),
      'project-id': project,
    },
    universe: { 'universe-domain': 'googleapis.com' },
  };
}

export const areGuestAttributesOn = ({ attributes }: MachineMetadata): boolean =>
  attributes['enable-guest-attributes']?.toUpperCase() === 'TRUE';

const upperCase = (flag: boolean) => String(flag).toUpperCase();

/** What lies at this path, folders without their last slash. */
export function find(tree: Folder, path: string[]): Value | Folder | undefined {
  let node: Value | Folder | undefined = tree;
  for (const part of path) {
    if (!isFolder(node) || !Object.hasOwn(node, part)) return undefined;
    node = node[part];
  }
  return node;
}

type WithRawJson = { rawJSON(text: string): object };

export const toJson = (value: unknown): string =>
  // `null` for what is asked for anew each time.
  JSON.stringify(typeof value === 'function' ? null : value, (_key, one) =>
    // TypeScript does not know it yet. https://github.com/tc39/proposal-json-parse-with-source
    typeof one === 'bigint' ? (JSON as unknown as WithRawJson).rawJSON(String(one)) : one,
  );

/** It follows from the content, so that it can be compared over a restart. */
export function etagOf(node: Value | Folder): string {
  return createHash('sha256').update(toJson(node)).digest('hex').slice(0, 16);
}

/** The names in a folder, one a line; folders end in a slash. */
export const listing = (folder: Folder): string =>
  Object.entries(folder)
    .map(([key, value]) => `${key}${isFolder(value) ? '/' : ''}\n`)
    .sort()
    .join('');

export const asText = (value: Exclude<Value, Secret>): string =>
  Array.isArray(value) ? value.map((one) => `${one}\n`).join('') : String(value);

/** `service-accounts/default/email somebody@…`, a line for each value: `?recursive=true&alt=text`. */
export function recursiveText(folder: Folder, path = ''): string {
  return Object.entries(folder)
    .map(([key, value]) => {
      if (isFolder(value)) return recursiveText(value, `${path}${key}/`);
      if (typeof value === 'function') return '';
      return [value]
        .flat()
        .map((one) => `${path}${key} ${one}\n`)
        .join('');
    })
    .join('');
}

/** `?recursive=true`: Google's own names become camel case; what people named stays as it is. */
export function recursiveJson(node: Value | Folder, isOwn = false): unknown {
  if (!isFolder(node)) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([, value]) => typeof value !== 'function')
      .map(([key, value]) => [
        isOwn ? key : key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
        recursiveJson(value, isOwn || areOwn(key)),
      ]),
  );
}

/** Folders whose keys were not named by Google. */
export const areOwn = (key: string): boolean =>
  ['attributes', 'guest-attributes', 'service-accounts'].includes(key);
