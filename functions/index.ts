import { unitsPerDay } from '../shared/annotation/units.ts';
import { keepWaiting } from '../shared/annotation/waiting.ts';
import { clients, lazy } from '../shared/clients.ts';
import { coalesce } from '../shared/coalesce.ts';
import { config } from '../shared/config.ts';
import { FileChanged } from '../shared/drive/fileChanged.ts';
import { drainBegins, publishDrain, requestDrain } from '../shared/drive/requestDrain.ts';
import { publishTo } from '../shared/publish.ts';
import { recordsIn } from '../shared/storage/records.ts';
import { onClock, onMessage, onObject, onRequest } from '../shared/trigger.ts';
import { annotate, Stimulus } from './annotate.ts';
import { annotateTick } from './annotate-tick.ts';
import { DriveChanged, driveFeed } from './drive-feed.ts';
import { driveTick } from './drive-tick.ts';
import { driveWebhook, Notification } from './drive-webhook.ts';
import { fileSync } from './file-sync.ts';
import { objectArrived } from './object-arrived.ts';

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
        log,
        now: Date.now,
        wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        ...config(),
      }),
  ),

  'file-sync': onMessage({ topic: 'file-changed', ackDeadline: 600 }, FileChanged, async (message, { log }) =>
    fileSync(message, {
      drive: await clients.drive(),
      raw: (await clients.storage()).bucket(config().rawBucket),
      records: await records(),
      publish: await publish(),
      log,
      ...config(),
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
      wait: async (waiting) => keepWaiting(await records(), waiting, new Date()),
      log,
      now: () => new Date(),
    }),
  ),

  'annotate-tick': onClock({ schedule: '7 * * * *', topic: 'annotate-tick' }, async (tick, { log }) =>
    annotateTick(tick, { records: await records(), publish: await publish(), log }),
  ),
};

/** Topics that functions publish to and no function of ours reads yet. */
export const topics = ['recording-arrived'];

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
