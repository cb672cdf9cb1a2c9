import { functions } from '../../functions/index.ts';
import { deadLetterTopic, type Triggered } from '../../shared/trigger.ts';

/**
 * What a function may do, and where: no more than its code calls. `test/deploy/google/permissions/` holds the requests that
 * functions really send against it; what they were not seen to send has its reason in `elsewhere.ts` there, and what Google
 * asks for besides has its in `methods.ts`. `test/deploy/google/terraform/` holds the roles that Terraform would make.
 */
export type Needs = {
  /** Of objects in a bucket. Only `file-sync` changes anything in `raw`. */
  raw?: string[];
  derived?: string[];
  state?: string[];
  /** Topics that it publishes to. */
  publishes?: string[];
  /** Of everything in the project. */
  project?: string[];
  /** The same, of machines and disks whose names are Gazeline's alone. */
  machines?: string[];
  /** Of the account that machines run as. */
  machineAccount?: string[];
  /** Of the account that the study folder is shared with. */
  driveAccount?: string[];
  /** Of the account that it runs as. */
  itself?: string[];
  /** Only where detaching is switched on. It cannot be undone with it: nothing here attaches a project to an account. */
  billing?: string[];
  /** Only where idle machines are deleted after some days. */
  leftovers?: string[];
  channelSecret?: string[];
};

// https://cloud.google.com/storage/docs/access-control/iam-json
const read = ['storage.objects.get'];
const list = ['storage.objects.list'];
/** To write over an object is to delete it. */
const write = ['storage.objects.create', 'storage.objects.delete'];
const records = [...read, ...write];

/** What starts a machine. https://cloud.google.com/compute/docs/reference/rest/v1/instances/insert#iam-permissions */
const startMachines = [
  'compute.instances.create',
  'compute.instances.setLabels',
  'compute.instances.setMetadata',
  'compute.instances.setServiceAccount',
  'compute.disks.create',
  'compute.disks.setLabels',
  'compute.subnetworks.use',
  'compute.subnetworks.useExternalIp',
];
const lookAtMachines = ['compute.instances.get'];
const listMachines = ['compute.instances.list', 'compute.disks.list'];
const waitForMachines = ['compute.zoneOperations.get'];
const listOperations = ['compute.zoneOperations.list'];
const stopMachines = ['compute.instances.stop', ...waitForMachines];
const bootLines = ['compute.instances.getSerialPortOutput'];
/** Whatever ends a machine asks Compute Engine why it has ended. */
const endMachines = [...lookAtMachines, ...waitForMachines, ...listOperations];
/** Queued resources have no permissions of their own. https://cloud.google.com/tpu/docs/queued-resources */
const endTpus = ['tpu.nodes.get', 'tpu.nodes.delete', 'tpu.operations.get'];
const measure = ['monitoring.timeSeries.list'];
const workbench = ['notebooks.instances.stop', 'notebooks.operations.get'];
/** To look at, and to clear away what is left of one whose machine is gone. */
const lookAtSessions = ['notebooks.instances.get', 'notebooks.instances.delete'];
/** https://cloud.google.com/vertex-ai/docs/workbench/instances/iam */
const keepSessions = [
  ...lookAtSessions,
  'notebooks.instances.create',
  'notebooks.instances.start',
  ...workbench,
];
/** https://cloud.google.com/iam/docs/create-short-lived-credentials-direct#sa-credentials-oauth */
const asDriveAccount = ['iam.serviceAccounts.getAccessToken'];
const secret = ['secretmanager.versions.access'];
/** Without a key, a URL is signed by a request. https://cloud.google.com/storage/docs/access-control/signing-urls-with-helpers */
const sign = ['iam.serviceAccounts.signBlob'];

/** A dead letter is sent again to where it came from, whichever of these that is. */
const everyTopic = Object.values(functions as Record<string, Triggered>).flatMap(({ trigger }) =>
  trigger.kind === 'http' || trigger.topic === deadLetterTopic ? [] : [trigger.topic],
);

/** Looked at, warned about and stopped. */
const idle = [
  ...lookAtMachines,
  'compute.instances.list',
  'compute.instances.getGuestAttributes',
  'compute.instances.setLabels',
  ...stopMachines,
  ...measure,
  ...workbench,
];

/** Vision and Natural Language have no permissions: whoever is of the project may ask, once the API is switched on. */
export const permissions: Record<keyof typeof functions, Needs> = {
  'drive-webhook': { state: records, publishes: ['drive-changed'], channelSecret: secret },
  'drive-tick': {
    state: records,
    publishes: ['drive-changed'],
    driveAccount: asDriveAccount,
    channelSecret: secret,
  },
  'drive-feed': {
    state: records,
    publishes: ['file-changed', 'drive-reconcile'],
    driveAccount: asDriveAccount,
  },
  'drive-reconcile': {
    raw: [...read, ...list],
    state: [...records, ...list],
    publishes: ['file-changed', 'drive-reconcile'],
    driveAccount: asDriveAccount,
  },
  'file-sync': {
    raw: [...read, ...list, ...write, 'storage.objects.update'],
    state: records,
    publishes: ['file-changed'],
    driveAccount: asDriveAccount,
  },
  'object-arrived': {
    raw: [...read, ...list],
    state: ['storage.objects.create'],
    publishes: ['stimulus-arrived', 'recording-arrived', 'job-requested', 'raw-object'],
  },
  annotate: { raw: read, derived: records, state: records },
  'job-start': {
    raw: read,
    state: records,
    publishes: ['job-requested'],
    project: [...startMachines, ...endMachines, 'tpu.nodes.create', ...endTpus],
    machines: ['compute.instances.delete'],
    machineAccount: ['iam.serviceAccounts.actAs'],
  },
  'job-event': {
    derived: read,
    state: records,
    publishes: ['job-requested'],
    project: [...endMachines, ...endTpus],
    machines: ['compute.instances.delete'],
  },
  'machine-sweep': {
    derived: [...read, ...list],
    state: [...records, ...list],
    publishes: ['job-requested'],
    project: [...endMachines, ...listMachines, ...bootLines, 'tpu.nodes.list', ...endTpus],
    machines: ['compute.instances.delete', 'compute.disks.delete'],
  },
  'idle-sweep': {
    state: [...records, ...list],
    publishes: ['guard-notices'],
    project: [...idle, 'tpu.nodes.list'],
    leftovers: ['compute.instances.delete'],
  },
  'budget-guard': {
    state: [...records, ...list],
    publishes: ['guard-notices'],
    project: [...idle, 'compute.disks.list', 'tpu.nodes.list', ...endTpus],
    billing: ['resourcemanager.projects.get', 'resourcemanager.projects.deleteBillingAssignment'],
  },
  'cost-tick': {
    state: records,
    publishes: ['budget-notified'],
    project: [...listMachines, ...listOperations, 'tpu.nodes.list', ...measure],
  },
  'session-start': {
    // The script that Workbench fetches.
    derived: records,
    state: records,
    publishes: ['session-requested'],
    project: keepSessions,
    machineAccount: ['iam.serviceAccounts.actAs'],
  },
  'session-sweep': {
    state: [...records, ...list],
    publishes: ['session-requested'],
    project: lookAtSessions,
  },
  export: {
    derived: [...read, ...list],
    state: records,
    publishes: ['export-requested'],
    driveAccount: asDriveAccount,
  },
  'notice-board': { state: records, driveAccount: asDriveAccount },
  'dead-letter': { state: [...read, 'storage.objects.create'] },
  api: {
    raw: [...read, ...list],
    // Sessions in which callers write themselves.
    derived: [...read, ...list, ...write],
    state: [...records, ...list],
    publishes: everyTopic,
    project: [
      ...lookAtMachines,
      'compute.instances.list',
      'compute.instances.setLabels',
      ...stopMachines,
      ...workbench,
      'tpu.nodes.list',
    ],
    driveAccount: asDriveAccount,
    itself: sign,
  },
  'waiting-tick': {
    state: [...records, ...list],
    publishes: ['stimulus-arrived', 'file-changed', 'export-requested', 'guard-notices'],
  },
};
