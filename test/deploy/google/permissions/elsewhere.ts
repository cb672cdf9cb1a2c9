import { type Needs, permissions } from '../../../../deploy/google/permissions.ts';
import type { functions } from '../../../../functions/index.ts';

export type Name = keyof typeof functions;
export const names = Object.keys(permissions) as Name[];

/** A permission that a function has although a lab in which about everything happens need not have asked for it. */
export type Elsewhere = {
  /** As in `tableOf`. */
  may: string;
  /** Each by its name: a function that is to have it as well has to be added, and thought about. */
  by: Name[];
  /** Where it is asked for: a file, and words in it. */
  file: string;
  words: string;
  /** Why it is needed, and was perhaps not seen. */
  why: string;
  /** Who says that Google asks for it, where no request is called like it. */
  source?: string;
};

/** A row of the table; buckets and topics by name. */
export const tableOf = (name: Name): string[] =>
  Object.entries(permissions[name] as Needs).flatMap(([on, list]) => {
    if (on === 'publishes') return list.map((topic) => `${topic}: pubsub.topics.publish`);
    return list.map((one) => (['raw', 'derived', 'state'].includes(on) ? `${on}: ${one}` : one));
  });

/** What a function may do that it was not seen to do, and of which nobody has said why. */
export const unexplained = (name: Name, may: string[], seen: Set<string>): string[] =>
  may.filter((one) => !seen.has(one) && !elsewhere.some((row) => row.may === one && row.by.includes(name)));

const jobs: Name[] = ['job-start', 'job-event', 'machine-sweep'];
const idle: Name[] = ['idle-sweep', 'budget-guard'];
const withTpus: Name[] = [...jobs, 'budget-guard'];
const computeEngine = 'shared/machines/computeEngine.ts';
const tpuNodes = 'shared/machines/tpuNodes.ts';
const idleVms = 'shared/machines/idle/idleVms.ts';
const workbench = 'shared/machines/idle/workbench.ts';
const reconcile = 'shared/sessions/reconcile.ts';
const index = 'functions/index.ts';
const records = 'shared/storage/records.ts';
const publishTo = (topic: string) => `${topic}: pubsub.topics.publish`;
const tpusAre = 'there are no TPUs in this lab: a job on one asks for a queued resource, and ends it';
const queued = 'https://cloud.google.com/tpu/docs/queued-resources';
const overwriting = 'https://cloud.google.com/storage/docs/access-control/iam-json';

export const elsewhere: Elsewhere[] = [
  // What Google asks for, without a request of ours that is called so.
  {
    may: 'secretmanager.versions.access',
    by: ['drive-webhook', 'drive-tick'],
    file: 'deploy/google/terraform/functions.tf',
    words: 'secret_environment_variables',
    why: 'Cloud Run reads the secret in the function’s name, before there is a process',
    source: 'https://cloud.google.com/run/docs/configuring/services/secrets',
  },
  {
    may: 'iam.serviceAccounts.getAccessToken',
    by: ['drive-tick', 'drive-feed', 'drive-reconcile', 'file-sync', 'export', 'notice-board', 'api'],
    file: 'shared/clients.ts',
    words: ':generateAccessToken',
    why: 'Drive is asked in the name of the account that the folder is shared with; here functions in one process share its token',
    source: 'https://cloud.google.com/iam/docs/create-short-lived-credentials-direct#sa-credentials-oauth',
  },
  {
    may: 'iam.serviceAccounts.signBlob',
    by: ['api'],
    file: 'shared/api/routes/signedUrls.ts',
    words: 'getSignedUrl(',
    why: 'without a key an address is signed by IAM; the local cloud gives a key, so nothing is asked here',
    source: 'https://cloud.google.com/storage/docs/access-control/signing-urls-with-helpers',
  },
  {
    may: 'raw: storage.objects.get',
    by: ['api'],
    file: 'shared/api/routes/signedUrls.ts',
    words: 'getSignedUrl(',
    why: 'whoever opens a signed address may what its signer may: the signer reads nothing, and must be allowed to',
    source: 'https://cloud.google.com/storage/docs/access-control/signed-urls',
  },
  {
    may: 'derived: storage.objects.delete',
    by: ['session-start', 'api'],
    file: 'shared/storage/writeObject.ts',
    words: 'ifGenerationMatch',
    why: 'to write over an object is to delete it: the script that a session fetches is replaced by that of a newer Gazeline',
    source: overwriting,
  },
  {
    may: 'state: storage.objects.delete',
    by: ['drive-webhook', 'drive-tick', 'drive-feed', 'drive-reconcile', 'file-sync', 'annotate', 'export'],
    file: records,
    words: 'ifGenerationMatch',
    why: 'to write over a record is to delete it; whether there was one depends on what came first',
    source: overwriting,
  },
  {
    may: 'state: storage.objects.delete',
    by: [...jobs, ...idle, 'cost-tick', 'session-start', 'session-sweep', 'notice-board', 'api'],
    file: records,
    words: 'ifGenerationMatch',
    why: 'to write over a record is to delete it; sweeps and clocks find nothing to write where nothing is amiss',
    source: overwriting,
  },

  // What is asked for only when something happens that did not happen in this lab, or may have happened to another function.
  {
    may: 'state: storage.objects.delete',
    by: ['waiting-tick'],
    file: 'shared/waiting.ts',
    words: 'records.remove(',
    why: 'a message that waited for a new day is sent and then forgotten; nothing has waited for so long',
  },
  {
    may: 'state: storage.objects.get',
    by: ['drive-webhook', 'drive-tick', 'waiting-tick', 'dead-letter', 'machine-sweep', ...idle],
    file: records,
    words: 'readObject(bucket.file(name))',
    why: 'a record is read before it is written, and what cannot work is looked up before it is put aside',
  },
  {
    may: 'state: storage.objects.create',
    by: ['machine-sweep', 'idle-sweep', 'session-sweep', 'waiting-tick', 'dead-letter', 'object-arrived'],
    file: 'shared/unprocessable.ts',
    words: 'records.write(nameOf(problem)',
    why: 'whatever cannot work is put aside; these write nothing else unless something is amiss',
  },
  ...['get', 'create'].map(
    (verb): Elsewhere => ({
      may: `state: storage.objects.${verb}`,
      by: [
        'cost-tick',
        'budget-guard',
        'notice-board',
        ...(verb === 'get' ? ['session-sweep' as const] : []),
      ],
      ...{ file: records, words: verb === 'get' ? 'readObject(bucket.file(name))' : 'ifGenerationMatch' },
      why: 'they come last when too much is spent, and may go on when nobody looks any more',
    }),
  ),
  {
    may: 'state: storage.objects.list',
    by: ['drive-reconcile', 'machine-sweep', 'session-sweep', 'waiting-tick', ...idle],
    file: records,
    words: 'bucket.getFiles(',
    why: 'they look for records that no message names',
  },
  {
    may: 'raw: storage.objects.get',
    by: ['drive-reconcile'],
    file: 'shared/drive/compare.ts',
    words: 'lookAtObject(raw',
    why: 'only an object that is not as Drive says is looked at closer',
  },
  {
    may: 'raw: storage.objects.list',
    by: ['file-sync'],
    file: 'functions/file-sync.ts',
    words: 'pagesOf(raw',
    why: 'only a folder that is moved, or goes, is looked for by its prefix',
  },
  {
    may: 'derived: storage.objects.get',
    by: ['machine-sweep'],
    file: 'shared/jobs/hearReport.ts',
    words: 'derived.file(',
    why: 'the sweep hears only the reports whose messages were lost',
  },
  {
    may: 'derived: storage.objects.list',
    by: ['machine-sweep'],
    file: 'shared/jobs/hearReport.ts',
    words: 'pagesOf(dependencies.derived',
    why: 'the sweep hears only the reports whose messages were lost',
  },
  {
    may: publishTo('session-requested'),
    by: ['session-start', 'session-sweep'],
    file: 'shared/sessions/requestSession.ts',
    words: "publish('session-requested'",
    why: 'a session that is not where it is wanted by the end of a run is asked for again',
  },
  {
    may: publishTo('drive-reconcile'),
    by: ['drive-feed', 'drive-reconcile'],
    file: 'functions/drive-reconcile.ts',
    words: "publish('drive-reconcile'",
    why: 'a large folder is compared in more than one run; and all is compared when Drive has lost a page token',
  },
  {
    may: publishTo('job-requested'),
    by: jobs,
    file: 'shared/jobs/submitJob.ts',
    words: "publish('job-requested'",
    why: 'a job that lost its machine, or found none, is asked for again',
  },
  {
    may: publishTo('guard-notices'),
    by: idle,
    file: 'shared/budget/sendNotice.ts',
    words: 'publish(noticesTopic',
    why: 'people are told when something is about to be stopped',
  },
  ...(
    [
      ['stimulus-arrived', index, "topic: 'stimulus-arrived', key"],
      ['file-changed', index, "topic: 'file-changed', key"],
      ['export-requested', index, '{ topic: exportTopic, key'],
      ['guard-notices', index, '{ topic: noticesTopic, key'],
    ] as const
  ).map(
    ([topic, file, words]): Elsewhere => ({
      ...{ may: publishTo(topic), by: ['waiting-tick'], file, words },
      why: 'what waited for a new day goes where it came from; nothing has waited for so long',
    }),
  ),
  {
    may: publishTo('file-changed'),
    by: ['file-sync'],
    file: 'functions/file-sync.ts',
    words: 'publishFileChanges(dependencies.publish',
    why: 'the files below a folder that is moved or goes are asked for one by one',
  },
  // A dead letter may come from any topic, and each would have to die here.
  ...(permissions.api.publishes ?? []).map(
    (topic): Elsewhere => ({
      ...{ may: publishTo(topic), by: ['api'], file: 'shared/deadLetters.ts', words: 'publish(topic,' },
      why: 'a dead letter is sent again to where it came from, whichever topic that is',
    }),
  ),
  {
    may: 'compute.instances.get',
    by: [...jobs, ...idle],
    file: computeEngine,
    words: 'instances.get(',
    why: 'why a machine has ended is asked of itself; an idle one is looked at once more before it is stopped',
  },
  {
    may: 'compute.instances.delete',
    by: [...jobs, 'idle-sweep'],
    file: computeEngine,
    words: 'instances.delete(',
    why: 'a machine of a job deletes itself, unless it no longer can; an idle one is deleted only where that is switched on',
  },
  {
    may: 'compute.instances.stop',
    by: idle,
    file: computeEngine,
    words: 'instances.stop(',
    why: 'a machine is idle only after an hour',
  },
  {
    may: 'compute.instances.getSerialPortOutput',
    by: ['machine-sweep'],
    file: computeEngine,
    words: 'instances.getSerialPortOutput(',
    why: 'only of a machine that never began to report are the last lines read',
  },
  {
    may: 'compute.disks.delete',
    by: ['machine-sweep'],
    file: computeEngine,
    words: 'disks.delete(',
    why: 'only a disk that outlived its machine is deleted',
  },
  {
    may: 'compute.zoneOperations.get',
    by: [...jobs, ...idle],
    file: computeEngine,
    words: 'zoneOperations.wait(',
    why: 'only after something was started, stopped or deleted is it waited for',
  },
  {
    may: 'compute.zoneOperations.list',
    by: [...jobs, 'cost-tick'],
    file: computeEngine,
    words: 'zoneOperations.listAsync(',
    why: 'only of a machine that is gone without a word is it looked up who ended it',
  },
  {
    may: 'compute.instances.getGuestAttributes',
    by: idle,
    file: idleVms,
    words: 'instances.getGuestAttributes(',
    why: 'only a machine that has run for some time is asked what it is doing',
  },
  {
    may: 'compute.instances.setLabels',
    by: idle,
    file: idleVms,
    words: 'instances.setLabels(',
    why: 'a machine is marked when it is warned, after an hour',
  },
  {
    may: 'monitoring.timeSeries.list',
    by: idle,
    file: 'shared/machines/idle/utilization.ts',
    words: 'timeSeries.list(',
    why: 'only a machine that has run for some time is measured',
  },
  {
    may: 'notebooks.instances.stop',
    by: [...idle, 'api'],
    file: workbench,
    words: 'instances.stop(',
    why: 'a machine that belongs to Workbench is stopped by way of it; the one that is idle here is none',
  },
  {
    may: 'notebooks.operations.get',
    by: [...idle, 'api'],
    file: workbench,
    words: 'operations.get(',
    why: 'what Workbench was asked for is waited for; the machine that is idle here is none of its',
  },
  {
    may: 'notebooks.instances.get',
    by: ['session-sweep'],
    file: reconcile,
    words: 'instances.look(',
    why: 'the sweep looks only at sessions on whose way something was lost',
  },
  {
    may: 'notebooks.instances.delete',
    by: ['session-sweep'],
    file: reconcile,
    words: 'instances.remove(',
    why: 'only what is left of a session whose machine is gone is cleared away',
  },
  ...(
    [
      ['tpu.nodes.create', ['job-start'], 'queuedResources.create('],
      ['tpu.nodes.get', withTpus, 'nodes.get('],
      ['tpu.nodes.delete', withTpus, 'nodes.delete('],
      ['tpu.nodes.list', ['machine-sweep', 'cost-tick', ...idle], 'nodes.list('],
      ['tpu.operations.get', withTpus, 'operations.get('],
    ] as const
  ).map(
    ([may, by, words]): Elsewhere => ({
      ...{ may, by: [...by], file: tpuNodes, words, why: tpusAre, source: queued },
    }),
  ),
  {
    may: 'resourcemanager.projects.deleteBillingAssignment',
    by: ['budget-guard'],
    file: 'shared/budget/detach.ts',
    words: 'updateBillingInfo(',
    why: 'only when all else has failed does a project lose its billing account',
    source: 'https://cloud.google.com/billing/docs/how-to/modify-project',
  },
];
