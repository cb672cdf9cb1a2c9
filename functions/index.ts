import { unitsPerDay } from '../shared/annotation/units.ts';
import type { Tools } from '../shared/api/tools.ts';
import type { GuardActions } from '../shared/budget/performSteps.ts';
import { noticesTopic, sendNotice } from '../shared/budget/sendNotice.ts';
import { clients, lazy } from '../shared/clients.ts';
import { coalesce, coalesceBy } from '../shared/coalesce.ts';
import { config } from '../shared/config.ts';
import { getFile } from '../shared/drive/driveFile.ts';
import { FileChanged } from '../shared/drive/fileChanged.ts';
import { filtersOf } from '../shared/drive/filters.ts';
import { removalsPerRun as perRun } from '../shared/drive/removals.ts';
import { drainBegins, publishDrain, requestDrain } from '../shared/drive/requestDrain.ts';
import { tallies } from '../shared/drive/runs.ts';
import { ExportRequested, exportTopic } from '../shared/export/requestExport.ts';
import type { Log } from '../shared/log.ts';
import type { IdleDependencies } from '../shared/machines/idle/lookAt.ts';
import type { MachinesByKind } from '../shared/machines/machines.ts';
import { labelValue } from '../shared/machines/names.ts';
import { NoticeMessage } from '../shared/notices/noticeMessage.ts';
import { publishTo } from '../shared/publish.ts';
import { recordsIn } from '../shared/storage/records.ts';
import { onClock, onDeadLetter, onMessage, onObject, onRequest, type Triggered } from '../shared/trigger.ts';
import { Unprocessable } from '../shared/unprocessable.ts';
import { keepWaiting } from '../shared/waiting.ts';
import { annotate, Stimulus } from './annotate.ts';
import { ApiRequest, api } from './api.ts';
import { BudgetNotified, budgetGuard } from './budget-guard.ts';
import { costTick } from './cost-tick.ts';
import { deadLetter } from './dead-letter.ts';
import { DriveChanged, driveFeed } from './drive-feed.ts';
import { driveReconcile, ReconcileRequest } from './drive-reconcile.ts';
import { driveTick } from './drive-tick.ts';
import { driveWebhook, Notification } from './drive-webhook.ts';
import { exportToDrive } from './export.ts';
import { fileSync } from './file-sync.ts';
import { idleSweep } from './idle-sweep.ts';
import { jobEvent } from './job-event.ts';
import { JobRequested, jobStart } from './job-start.ts';
import { machineSweep } from './machine-sweep.ts';
import { noticeBoard } from './notice-board.ts';
import { objectArrived } from './object-arrived.ts';
import { SessionRequested, sessionStart } from './session-start.ts';
import { sessionSweep } from './session-sweep.ts';
import { waitingTick } from './waiting-tick.ts';

/** MiB; the client of Compute Engine alone has 200 of heap. */
const withMachines = 1024;

/** Every function: what triggers it, and what it is given. The deployment and the local host read this map. */
export const functions = {
  'drive-webhook': onRequest({ access: 'public' }, Notification, async (notification) =>
    driveWebhook(notification, { channelSecret: config().channelSecret, requestDrain: drainOnce }),
  ),

  'drive-tick': onClock({ schedule: '*/5 * * * *', topic: 'drive-tick' }, async (tick, { log }) =>
    driveTick(tick, {
      drive: await clients.drive(),
      records: await records(),
      publishDrain: async () => publishDrain(await publish()),
      log,
      ...config(),
    }),
  ),

  'drive-feed': onMessage(
    { topic: 'drive-changed', ordered: true, ackDeadline: 600 },
    DriveChanged,
    async (_message, { log }) =>
      driveFeed({
        drive: await clients.drive(),
        records: await records(),
        publish: await publish(),
        drainBegins: async () => drainBegins(await records()),
        requestReconcile: async () =>
          (await publish())('drive-reconcile', [{ data: { requestedAt: new Date().toISOString() } }]),
        log,
        now: Date.now,
        wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        ...config(),
      }),
  ),

  'drive-reconcile': onClock(
    { schedule: '23 3 * * *', topic: 'drive-reconcile', ackDeadline: 600, schema: ReconcileRequest },
    async ({ data }, { log }) =>
      driveReconcile(data, {
        ...(await syncing()),
        drive: await clients.drive(),
        raw: (await clients.storage()).bucket(config().rawBucket),
        records: await records(),
        publish: await publish(),
        deadline: Date.now() + config().transferSeconds * 1000,
        log,
        now: Date.now,
      }),
  ),

  'file-sync': onMessage(
    { topic: 'file-changed', ordered: true, ackDeadline: 600 },
    FileChanged,
    async (message, { log }) =>
      fileSync(message, {
        ...(await syncing()),
        drive: await clients.drive(),
        raw: (await clients.storage()).bucket(config().rawBucket),
        records: await records(),
        publish: await publish(),
        waitForTomorrow: async (change) =>
          keepWaiting(
            await records(),
            { topic: 'file-changed', key: change.fileId, data: change },
            new Date(),
          ),
        deadline: Date.now() + config().transferSeconds * 1000,
        log,
        now: Date.now,
        wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      }),
  ),

  export: onMessage({ topic: exportTopic, ackDeadline: 600 }, ExportRequested, async (request, { log }) =>
    exportToDrive(request, {
      ...(await exporting()),
      records: await records(),
      publish: await publish(),
      waitForTomorrow: async (request) =>
        keepWaiting(
          await records(),
          { topic: exportTopic, key: `${request.export} ${request.object?.name ?? ''}`, data: request },
          new Date(),
        ),
      deadline: Date.now() + config().transferSeconds * 1000,
      log,
    }),
  ),

  'object-arrived': onObject({ bucket: 'raw', topic: 'raw-object' }, async (object, { log }) =>
    objectArrived(object, {
      raw: (await clients.storage()).bucket(config().rawBucket),
      publish: await publish(),
      log,
    }),
  ),

  annotate: onMessage({ topic: 'stimulus-arrived', ackDeadline: 600 }, Stimulus, async (stimulus, { log }) =>
    annotate(stimulus, {
      raw: (await clients.storage()).bucket(config().rawBucket),
      derived: recordsIn(await clients.storage(), config().derivedBucket),
      records: await records(),
      annotateImage,
      language: clients.language,
      annotator: clients.annotator,
      units: await units(),
      wait: async (stimulus) =>
        keepWaiting(
          await records(),
          { topic: 'stimulus-arrived', key: stimulus.name, data: stimulus },
          new Date(),
        ),
      log,
      now: () => new Date(),
    }),
  ),

  'job-start': onMessage(
    { topic: 'job-requested', ordered: true, ackDeadline: 600, memory: withMachines },
    JobRequested,
    async (request, { log }) =>
      jobStart(request, {
        ...(await jobs()),
        raw: (await clients.storage()).bucket(config().rawBucket),
        allowFile: config().localCloud !== undefined,
        regions: config().regions,
        limits: { ...config(), periodKind: config().budgetPeriod },
        settings: await machineSettings(),
        prices: (await import('../shared/machines/priceTable.ts')).priceTable(),
        patience: 120_000,
        deadline: Date.now() + 240_000,
        random: Math.random,
        log,
      }),
  ),

  'job-event': onObject(
    { bucket: 'derived', topic: 'derived-object', ackDeadline: 600, memory: withMachines },
    async (object, { log }) =>
      jobEvent(object, {
        ...(await jobs()),
        derived: (await clients.storage()).bucket(config().derivedBucket),
        log,
      }),
  ),

  'machine-sweep': onClock(
    { schedule: '* * * * *', topic: 'machine-sweep', ackDeadline: 600, memory: withMachines },
    async (tick, { log }) =>
      machineSweep(tick, {
        ...(await jobs()),
        lab: config().lab,
        lastWords: 60_000,
        bootTime: 10 * 60_000,
        rescue: 15 * 60_000,
        log,
      }),
  ),

  'idle-sweep': onClock(
    { schedule: '*/5 * * * *', topic: 'idle-sweep', ackDeadline: 600, memory: withMachines },
    async (tick, { log }) => {
      if (config().idleStop === 'off') return;
      const { remove } = await virtualMachines();
      await idleSweep(tick, {
        ...(await idleness(log)),
        remove,
        tpus: await tpus(),
        prices: (await import('../shared/machines/priceTable.ts')).priceTable(),
      });
    },
  ),

  'session-start': onMessage(
    { topic: 'session-requested', ordered: true, ackDeadline: 300 },
    SessionRequested,
    async (request, { log }) =>
      sessionStart(request, { ...(await sessions(log)), deadline: Date.now() + 50_000, pause: 2000 }),
  ),

  'session-sweep': onClock(
    { schedule: '* * * * *', topic: 'session-sweep', ackDeadline: 300 },
    async (tick, { log }) => sessionSweep(tick, await sessions(log)),
  ),

  'budget-guard': onMessage(
    { topic: 'budget-notified', ackDeadline: 600, memory: withMachines },
    BudgetNotified,
    async (message, { log, attributes = {}, publishedAt }) =>
      budgetGuard(
        message,
        { attributes, publishedAt },
        {
          ...guardSettings(),
          records: await records(),
          project: config().project,
          actions: guardActions(log),
          lease: 9 * 60_000,
          secondThoughts: 30 * 60_000,
          log,
          now: Date.now,
        },
      ),
  ),

  'cost-tick': onClock(
    { schedule: '*/5 * * * *', topic: 'cost-tick', ackDeadline: 300, memory: withMachines },
    async (_tick, { log }) => {
      const { budgets, amount, currency, periodKind } = guardSettings();
      return costTick({
        ...{ budgets, amount, currency, periodKind },
        dollarRate: config().dollarRate ?? (currency === 'USD' ? 1 : undefined),
        records: await records(),
        publish: await publish(),
        services: [await virtualMachines(), await tpus()],
        stored: async (now) =>
          (await import('../shared/budget/storedBytes.ts')).storedBytes(await clients.monitoring(), {
            project: config().project,
            now,
          }),
        prices: (await import('../shared/machines/priceTable.ts')).priceTable(),
        log,
        now: Date.now,
      });
    },
  ),

  'notice-board': onMessage({ topic: noticesTopic }, NoticeMessage, async (notice, { id, log }) => {
    const { noticeFile, project, studyFolder, sharedDrive } = config();
    if (noticeFile === 'off') return;
    const drive = await clients.drive();
    const lookAgain = { topic: noticesTopic, key: 'notice-board', data: { check: {} } };
    await noticeBoard(
      notice,
      { id },
      {
        ...{ project, studyFolder, sharedDrive, drive, log },
        records: await records(),
        newId: async () => (await drive.files.generateIds({ count: 1 })).data.ids?.[0] ?? '',
        lookAgain: async () => keepWaiting(await records(), lookAgain, new Date()),
        now: Date.now,
      },
    );
  }),
  'dead-letter': onDeadLetter(async (letter, delivery) =>
    deadLetter(letter, delivery, { records: await records(), topicOf, log: delivery.log, now: Date.now }),
  ),

  api: onRequest(
    { access: 'private', timeout: 540, memory: withMachines },
    ApiRequest,
    async (request, { log }) => api(request, { ...(await front()), tools: apiTools, log }),
  ),

  'waiting-tick': onClock({ schedule: '7 * * * *', topic: 'waiting-tick' }, async (tick, { log }) =>
    waitingTick(tick, { records: await records(), publish: await publish(), log }),
  ),
};

/** Topics that functions publish to and no function of ours reads yet. */
export const topics = ['recording-arrived'];

const topicOf = (name: string): string | undefined => {
  const trigger = (functions as Record<string, Triggered>)[name]?.trigger;
  return trigger && trigger.kind !== 'http' ? trigger.topic : undefined;
};

/** What functions that deal with jobs are given. */
const jobs = async () => ({
  derived: (await clients.storage()).bucket(config().derivedBucket),
  records: await records(),
  publish: await publish(),
  machines: machinesOf,
  now: Date.now,
});
const machinesOf: MachinesByKind = (kind) => (kind === 'tpu' ? tpus() : virtualMachines());
const virtualMachines = lazy(async () => {
  const { computeEngine } = await import('../shared/machines/computeEngine.ts');
  return computeEngine(config().project, await clients.compute());
});
const tpus = lazy(async () => {
  const { tpuNodes } = await import('../shared/machines/tpuNodes.ts');
  return tpuNodes(config().project, await clients.tpu());
});
const machineSettings = lazy(async () => {
  const { startupScript } = await import('../shared/machines/startupScript.ts');
  return {
    ...machineConfig(),
    startupScript: await startupScript(),
    ...(config().localCloud ? { reportSeconds: 2 } : {}),
  };
});
/** What all machines have in common, of jobs and of sessions. */
const machineConfig = () => {
  const { project, lab, rawBucket, derivedBucket, machineAccount, network, localCloud } = config();
  if (!machineAccount)
    throw new Unprocessable('GAZELINE_MACHINE_ACCOUNT is not set: no machine can be started');
  return {
    ...{ project, lab, rawBucket, derivedBucket, serviceAccount: machineAccount },
    ...(network ? { network } : {}),
    ...(localCloud ? { storage: localCloud } : {}),
  };
};

/** What functions that deal with sessions are given. */
const sessions = async (log: Log) => {
  const [{ workbenchInstances }, { startupScript }, { priceTable }] = await Promise.all([
    import('../shared/sessions/instances.ts'),
    import('../shared/machines/startupScript.ts'),
    import('../shared/machines/priceTable.ts'),
  ]);
  return {
    records: await records(),
    publish: await publish(),
    derived: (await clients.storage()).bucket(config().derivedBucket),
    instances: workbenchInstances(config().project, clients.notebooks),
    settings: machineConfig(),
    script: () => startupScript('session'),
    prices: priceTable(),
    regions: config().regions,
    limits: { ...config(), periodKind: config().budgetPeriod },
    log,
    now: Date.now,
  };
};

const guardSettings = () => {
  const { budgets, billingAccount, budgetAmount, budgetCurrency, budgetPeriod } = config();
  const { detachBilling, budgetThresholds } = config();
  const { detached: _, ...thresholds } = budgetThresholds;
  return {
    ...{ budgets, billingAccount, amount: budgetAmount, currency: budgetCurrency, periodKind: budgetPeriod },
    // Without the other setting there is no such level.
    thresholds: detachBilling === 'on' ? budgetThresholds : thresholds,
  };
};
const guardActions = (log: Log): GuardActions => ({
  notify: async (notice) =>
    sendNotice(notice, { publish: await publish(), webhook: config().noticeWebhook, log }),
  stopIdle: async (isWanted) => {
    if (config().idleStop === 'off')
      return {
        results: [{ what: 'idle machines', outcome: 'left', words: 'GAZELINE_IDLE_STOP is off' }],
        complete: true,
      };
    const [{ sweepIdle }, { urgent }] = await Promise.all([
      import('../shared/machines/idle/sweepIdle.ts'),
      import('../shared/machines/idle/policy.ts'),
    ]);
    const dependencies = await idleness(log);
    return sweepIdle(isWanted, { ...dependencies, policy: urgent(dependencies.policy) });
  },
  stopAll: async (isWanted) =>
    (await import('../shared/machines/stopAll.ts')).stopAll(isWanted, {
      services: await stoppable(),
      discardLocalSsd: config().discardLocalSsd === 'yes',
      log,
      now: Date.now,
    }),
  detach: async (isRehearsal) => {
    const { project, detachBilling, detachProjects } = config();
    const { detach } = await import('../shared/budget/detach.ts');
    const isOn = detachBilling === 'on';
    return detach(isRehearsal, { billing: clients.billing, project, isOn, allowed: detachProjects });
  },
});

const idleness = async (log: Log): Promise<IdleDependencies> => {
  const [{ idleVms }, { policyOf }, { utilization }, { workbench }] = await Promise.all([
    import('../shared/machines/idle/idleVms.ts'),
    import('../shared/machines/idle/policy.ts'),
    import('../shared/machines/idle/utilization.ts'),
    import('../shared/machines/idle/workbench.ts'),
  ]);
  const { project, discardLocalSsd, idleStop } = config();
  return {
    project,
    vms: idleVms(project, await clients.compute()),
    compute: await virtualMachines(),
    workbench: workbench(project, clients.notebooks),
    measure: async (of, window, now) => utilization(await clients.monitoring(), of, { project, window, now }),
    notify: async (notice) =>
      sendNotice(notice, { publish: await publish(), webhook: config().noticeWebhook, log }),
    records: await records(),
    policy: policyOf(config()),
    isRehearsal: idleStop === 'dry-run',
    discardLocalSsd: discardLocalSsd === 'yes',
    log,
    now: Date.now,
  };
};

const stoppable = async () => {
  const [{ mayHaveTpus }, { tpusOfJobs }] = await Promise.all([
    import('../shared/jobs/mayHaveTpus.ts'),
    import('../shared/machines/tpusOfJobs.ts'),
  ]);
  const isTpu = await mayHaveTpus(await records());
  return [await virtualMachines(), ...(isTpu ? [tpusOfJobs(await tpus(), labelValue(config().lab))] : [])];
};

/** What all requests to the API share in an instance. */
const front = lazy(async () => {
  const [{ accessIn }, { checkIdTokens }, { matcherOf }, { paceOf }, { routes }] = await Promise.all([
    import('../shared/api/access.ts'),
    import('../shared/api/checkIdToken.ts'),
    import('../shared/api/matchRoute.ts'),
    import('../shared/api/pace.ts'),
    import('../shared/api/routes/index.ts'),
  ]);
  const { apiUrl, apiRequestsPerMinute, localCloud } = config();
  return {
    door: {
      checkIdToken: checkIdTokens(apiUrl, localCloud),
      callerOf: accessIn(await records(), { freshness: 5000, now: Date.now }),
    },
    pace: paceOf(apiRequestsPerMinute),
    matchRoute: matcherOf(routes),
    once: {
      // Longer than a request may take.
      lease: 10 * 60_000,
      patience: 10_000,
      now: Date.now,
      wait: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    },
  };
});
const apiTools = async (): Promise<Tools> => ({
  config: config(),
  raw: (await clients.storage()).bucket(config().rawBucket),
  derived: (await clients.storage()).bucket(config().derivedBucket),
  derivedRecords: recordsIn(await clients.storage(), config().derivedBucket),
  records: await records(),
  publish: await publish(),
  drive: clients.drive,
  vms: async () => {
    const { idleVms } = await import('../shared/machines/idle/idleVms.ts');
    return idleVms(config().project, await clients.compute());
  },
  tpus,
  stopMachine: async (machine) => {
    const [{ stopMachine }, { workbench }] = await Promise.all([
      import('../shared/machines/idle/stopIdleMachine.ts'),
      import('../shared/machines/idle/workbench.ts'),
    ]);
    const { project, discardLocalSsd } = config();
    return stopMachine(machine, {
      compute: await virtualMachines(),
      workbench: workbench(project, clients.notebooks),
      discardLocalSsd: discardLocalSsd === 'yes',
    });
  },
  now: Date.now,
});

const records = async () => recordsIn(await clients.storage(), config().stateBucket);
const publish = async () => publishTo(await clients.pubsub(), config().project);
const drainOnce = coalesce(async () => requestDrain(await records(), await publish()));
// One of each for the instance: they put what is asked at the same time together.
const annotateImage = lazy(async () => {
  const { annotateImages } = await import('../shared/annotation/annotateImages.ts');
  return annotateImages(await clients.vision());
});
const units = lazy(async () => {
  const { visionUnitsPerDay: vision, languageUnitsPerDay: language } = config();
  return unitsPerDay(await records(), { vision, language }, { now: () => new Date() });
});

/** A file of up to a slice is in memory whole, of larger ones only what is on its way. An instance has 512 MiB. */
const sliceSize = 8 * 1024 * 1024;
const transfersAtATime = 2;

/** What all deliveries in an instance share, and what follows from the configuration. */
const syncing = lazy(async () => {
  const { default: pLimit } = await import('p-limit');
  const { studyFolder, sharedDrive, exports, removalsPerRun, ...options } = config();
  const drive = await clients.drive();
  const inTurn = pLimit(transfersAtATime);
  const mayRemove = perRun(await records(), removalsPerRun);
  return {
    studyFolder,
    sharedDrive,
    policy: { exports, filters: filtersOf(options) },
    readFolder: coalesceBy((id) => getFile(drive, id)),
    mayRemove,
    tallies: tallies(await records()),
    inTurn: <T>(work: () => Promise<T>) => inTurn(work),
    sliceSize,
    lease: 30_000,
    checkpointEvery: 2000,
  };
});

/** What all exports in an instance share. */
const exporting = lazy(async () => {
  const [{ default: pLimit }, { targets }, { folders }, { fileIds }, { outcomes }] = await Promise.all([
    import('p-limit'),
    import('../shared/export/target.ts'),
    import('../shared/export/folders.ts'),
    import('../shared/export/fileIds.ts'),
    import('../shared/export/noteOutcome.ts'),
  ]);
  const { studyFolder, derivedBucket } = config();
  const inTurn = pLimit(transfersAtATime);
  const common = {
    drive: await clients.drive(),
    records: await records(),
    studyFolder,
    now: Date.now,
    wait: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    lease: 90_000,
  };
  const nextId = fileIds(common.drive);
  return {
    ...common,
    derived: (await clients.storage()).bucket(derivedBucket),
    targets: targets(common, Date.now),
    folders: folders({ ...common, nextId }),
    nextId,
    note: outcomes(common.records, Date.now),
    inTurn: <T>(work: () => Promise<T>) => inTurn(work),
    // Google's own advice. https://developers.google.com/workspace/drive/api/guides/manage-uploads
    mostAtOnce: 5 * 1024 * 1024,
    sliceSize,
    pageSize: 200,
  };
});
