import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { type DriveFeedDependencies, driveFeed } from '../../functions/drive-feed.ts';
import {
  type DriveReconcileDependencies,
  driveReconcile,
  ReconcileRequest,
} from '../../functions/drive-reconcile.ts';
import { type FileSyncDependencies, fileSync } from '../../functions/file-sync.ts';
import { FileChanged } from '../../shared/drive/fileChanged.ts';
import { listAttention } from '../../shared/drive/fileRecord.ts';
import { drainBegins } from '../../shared/drive/requestDrain.ts';
import { NotYet } from '../../shared/once.ts';
import type { Message, Publish } from '../../shared/publish.ts';
import { retryPolicy } from '../../shared/trigger.ts';
import { openStudy } from '../functions/driveKit.ts';

export type Delivery = { topic: string; data: unknown; attempts: number };

export type PumpOptions = {
  /** How many deliveries are under way at a time. */
  atATime?: number;
  /** Which of so many waiting deliveries is next; the first if it is not given. */
  choose?: (count: number) => number;
  /** What happens to a delivery: it may come twice, get lost and come again, or never come. */
  fate?: (delivery: Delivery) => 'once' | 'twice' | 'lost' | 'never';
  /** Errors that stand for something that was switched on, and make the delivery come again. */
  mayFail?: boolean;
  /** Told of each delivery that will come again, and how often it has come. */
  comesAgain?: (attempts: number) => void;
  /** Where a delivery goes that has failed as often as Pub/Sub tries; if it is not given, that is an error. */
  deadLetters?: Delivery[];
};

/**
 * The sync without its host: the functions, real clients, a real local cloud; and a Pub/Sub whose order, losses and
 * doubles are a test's own, so that a seed gives the same again.
 */
export async function openSync(
  overrides: Partial<FileSyncDependencies> = {},
  pace: Parameters<typeof openStudy>[0] = {},
) {
  const study = await openStudy(pace);
  const queue: Delivery[] = [];
  const publish: Publish = async (topic: string, messages: Message[]) => {
    queue.push(...messages.map(({ data }) => ({ topic, data, attempts: 0 })));
  };
  const errors: unknown[] = [];
  const common = { ...study.dependencies, publish, ...overrides };
  const feed: DriveFeedDependencies = {
    drive: study.drive,
    records: common.records,
    publish,
    drainBegins: () => drainBegins(common.records),
    requestReconcile: () => publish('drive-reconcile', [{ data: {} }]),
    log: study.log,
    now: Date.now,
    wait: async () => {},
  };
  const reconciling: DriveReconcileDependencies = { ...common, checkpointEvery: 0, publish };

  const used = {
    ...study,
    queue,
    publish,
    errors,
    feed,
    reconciling,
    dependencies: common as FileSyncDependencies,
    /** What the dependencies are unless a test changes them. */
    defaults: { ...common } as FileSyncDependencies,
    drain: (more: Partial<DriveFeedDependencies> = {}) => driveFeed({ ...feed, ...more }),
    reconcile: (request: ReconcileRequest = {}, more: Partial<DriveReconcileDependencies> = {}) =>
      driveReconcile(request, { ...reconciling, ...more }),
    async handle({ topic, data }: Delivery): Promise<void> {
      if (topic === 'drive-changed') return driveFeed(feed);
      if (topic === 'drive-reconcile') return driveReconcile(ReconcileRequest.parse(data), reconciling);
      if (topic === 'file-changed') return fileSync(FileChanged.parse(data), used.dependencies);
      throw new Error(`Nobody reads ${topic}`);
    },
    /** Delivers until nothing is left. */
    async pump({
      atATime = 1,
      choose = () => 0,
      fate = () => 'once',
      mayFail = false,
      comesAgain = () => {},
      deadLetters,
    }: PumpOptions = {}) {
      const deliver = async (delivery: Delivery) => {
        const happens = fate(delivery);
        if (happens === 'never') return;
        if (happens === 'lost') return void queue.push(delivery);
        const outcomes = await Promise.allSettled(
          Array.from({ length: happens === 'twice' ? 2 : 1 }, () => used.handle(delivery)),
        );
        const failed = outcomes.find((outcome) => outcome.status === 'rejected');
        if (!failed) return;
        if (!mayFail && !(failed.reason instanceof NotYet)) throw failed.reason;
        errors.push(failed.reason);
        const attempts = delivery.attempts + 1;
        if (deadLetters && attempts >= retryPolicy.attempts) return void deadLetters.push(delivery);
        if (attempts > 200)
          throw new Error(`It goes on for ever: ${JSON.stringify(delivery)}`, { cause: failed.reason });
        comesAgain(attempts);
        queue.push({ ...delivery, attempts });
      };
      while (queue.length > 0) {
        const next = Array.from(
          { length: Math.min(atATime, queue.length) },
          () => queue.splice(choose(queue.length), 1)[0] as Delivery,
        );
        await Promise.all(next.map(deliver));
      }
    },
    /** What the feed says, and all that follows from it. */
    async settle(options?: PumpOptions): Promise<void> {
      await used.drain();
      await used.pump(options);
    },
    async attention(): Promise<Record<string, string>> {
      const found: Record<string, string> = {};
      for await (const { kind, path, reason } of listAttention(common.records))
        found[path.join('/')] = `${kind}: ${reason}`;
      return found;
    },
  };
  return used;
}
export type Sync = Awaited<ReturnType<typeof openSync>>;

/** A client that does something else for one method of one resource. */
export function withMethod(
  drive: drive_v3.Drive,
  resource: 'files' | 'changes',
  method: string,
  // biome-ignore lint/suspicious/noExplicitAny: the methods of a client have all kinds of parameters
  replacement: (original: () => Promise<any>, parameters: any) => unknown,
): drive_v3.Drive {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const target = drive[resource] as Record<string, any>;
  const replaced = new Proxy(target, {
    get: (object, key) =>
      key === method
        ? (...args: unknown[]) => replacement(() => object[method](...args), args[0])
        : Reflect.get(object, key),
  });
  return new Proxy(drive, { get: (object, key) => (key === resource ? replaced : Reflect.get(object, key)) });
}
