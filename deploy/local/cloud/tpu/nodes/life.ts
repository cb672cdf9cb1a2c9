import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MachineProcess, startMachineProcess } from '../../../machines/machineProcess.ts';
import { createFolders } from '../../compute/instances/folders.ts';
import type { MachineMetadata } from '../../compute/metadataTree.ts';
import { mintToken } from '../../compute/mintToken.ts';
import type { Context } from '../../service.ts';
import type { Key } from '../../zonal.ts';
import { aborted } from '../failure.ts';
import { struck } from '../faulty.ts';
import { nodeName } from '../parts.ts';
import type { Settings } from '../settings.ts';
import type { Tables } from '../tables.ts';
import { failedPrecondition, notFound, type Status } from '../tpuError.ts';
import { nodeMetadata } from './metadata.ts';
import type { Node } from './node.ts';

/** How nodes become, run and end. Each of these returns at once. */
export type Nodes = {
  /**
   * @param failure what it will fail of, if it will
   * @param done called when it is READY, or with why it will never be
   */
  create(node: Node, failure: Status | undefined, done: (failure?: Status) => void): void;
  /** @param done called when it is gone */
  remove(key: Key, done: (at: string) => void): void;
  /** @throws 400 if it is not READY */
  preempt(key: Key): void;
  /** Of the time it runs. */
  metadata(key: Key): MachineMetadata | undefined;
  pending(): number;
  close(): Promise<void>;
};

type Last = 'STOPPED' | 'TERMINATED' | 'PREEMPTED' | 'gone';
const ranks: Last[] = ['STOPPED', 'TERMINATED', 'PREEMPTED', 'gone'];

/** What there is of a node besides its record. */
type Runtime = {
  metadata?: MachineMetadata;
  process?: Promise<MachineProcess>;
  live?: MachineProcess;
  /** What comes next, unless the node is ended before. */
  timer?: NodeJS.Timeout;
  becoming?: (failure?: Status) => void;
  ending?: { last: Last; done: ((at: string) => void)[]; over: Promise<void> };
};

export type NodesOptions = {
  /** Of the service account whose tokens nodes are given. */
  keyFile: string;
  /** A node has been preempted by the service, or deleted by a user. */
  onEnd: (node: Node, initiator: 'USER' | 'SERVICE') => void;
};

/** While the cloud itself is ended, nodes have less time (ms). */
const graceAtClose = 2000;

/** A node is a process that really runs its start-up script, in a folder and with a metadata server of its own. */
export function createNodes(
  context: Context,
  tables: Tables,
  settings: Settings,
  { keyFile, onEnd }: NodesOptions,
): Nodes {
  const { store, faults } = context;
  const folders = createFolders(store.dir);
  const runtimes = new Map<string, Runtime>();
  const closing = new AbortController();
  const now = () => new Date().toISOString();
  const runtimeOf = ({ zone, name }: Key) => runtimes.get(`${zone}/${name}`);
  const beginRuntime = ({ zone, name }: Key): Runtime => {
    const runtime: Runtime = {};
    runtimes.set(`${zone}/${name}`, runtime);
    return runtime;
  };
  const change = (key: Key, state: Node['state']) => {
    const node = tables.nodes.get(key);
    if (node) tables.nodes.put({ ...node, state });
  };
  const discard = ({ zone, name }: Key) => {
    tables.nodes.remove({ zone, name });
    folders.remove(zone, folderName(name));
    runtimes.delete(`${zone}/${name}`);
  };

  const create: Nodes['create'] = (node, failure, done) => {
    tables.nodes.put(node);
    const runtime = beginRuntime(node);
    runtime.becoming = done;
    runtime.timer = setTimeout(() => {
      delete runtime.becoming;
      if (failure) discard(node);
      else boot(node, runtime);
      done(failure);
    }, settings.delays.provisioning);
  };

  const boot = (key: Key, runtime: Runtime) => {
    const before = tables.nodes.get(key);
    if (!before) return;
    const node: Node = { ...before, state: 'READY' };
    store.transaction(() => {
      tables.nodes.put(node);
      tables.runs.begin(runOf(node, now()));
    });
    const isBroken = faults.strike('tpu', ['bootFailure'], struck(node)) !== undefined;
    const metadata = nodeMetadata(context, node);
    runtime.metadata = metadata;
    runtime.process = startMachineProcess({
      folder: join(store.dir, 'machines', node.zone, folderName(node.name)),
      script: isBroken ? undefined : node.body.metadata?.['startup-script'],
      metadata,
      mintToken: () => mintToken(context.origin(), keyFile),
      origin: context.origin(),
      // Nodes have no serial port that anybody could read.
      onLine: () => {},
      onPowerOff: () => guestEnded(key),
    });
    runtime.process.then(
      (process) => {
        runtime.live = process;
      },
      (error: unknown) => {
        console.error(`local cloud: the node ${key.name} does not start:`, error);
        delete runtime.process;
        guestEnded(key);
      },
    );
  };

  const end = (key: Key, last: Last, done: (at: string) => void = () => {}, grace = settings.shutdown) => {
    const runtime = runtimeOf(key) ?? beginRuntime(key);
    clearTimeout(runtime.timer);
    const becoming = runtime.becoming;
    delete runtime.becoming;
    if (last === 'gone') change(key, 'DELETING');
    if (last === 'STOPPED') change(key, 'STOPPING');
    const { ending } = runtime;
    if (ending) {
      if (ranks.indexOf(last) > ranks.indexOf(ending.last)) ending.last = last;
      ending.done.push(done);
    } else {
      runtime.ending = { last, done: [done], over: Promise.resolve() };
      runtime.ending.over = put(key, runtime, grace);
    }
    becoming?.(aborted(nodeName(context, key)));
  };

  /** The node is off; what is left of it is put away. */
  const put = async (key: Key, runtime: Runtime, grace: number) => {
    const process = await runtime.process?.catch(() => undefined);
    await process?.shutDown(grace);
    if (runtime.ending?.last === 'gone')
      await sleep(settings.delays.deleting, undefined, closing).catch(() => {});
    const { last = 'gone', done = [] } = runtime.ending ?? {};
    const node = tables.nodes.get(key);
    const at = now();
    delete runtime.ending;
    delete runtime.process;
    delete runtime.live;
    store.transaction(() => {
      if (!node) return;
      // What a node costs whose guest has powered itself off is not said: so here it costs until somebody deletes it.
      if (last !== 'STOPPED') tables.runs.end(node.id, at);
      if (last === 'gone') discard(key);
      else tables.nodes.put({ ...node, state: last });
    });
    for (const tell of done) tell(at);
    if (node && !closing.signal.aborted && (last === 'PREEMPTED' || last === 'gone'))
      onEnd(node, last === 'PREEMPTED' ? 'SERVICE' : 'USER');
  };

  const guestEnded = (key: Key) => {
    if (!closing.signal.aborted && !runtimeOf(key)?.ending) end(key, 'STOPPED');
  };

  recover(tables, discard);

  return {
    create,
    remove: (key, done) => end(key, 'gone', done),
    preempt(key) {
      const node = tables.nodes.get(key);
      const runtime = runtimeOf(key);
      if (!node) throw notFound(nodeName(context, key));
      if (node.state !== 'READY' || !runtime?.metadata || runtime.metadata.preempted || runtime.ending)
        throw failedPrecondition(`preempt is not supported while in state ${node.state}`);
      runtime.metadata.preempted = true;
      runtime.live?.metadata.changed();
      runtime.timer = setTimeout(() => end(key, 'PREEMPTED'), settings.preemptionNotice);
    },
    metadata: (key) => runtimeOf(key)?.metadata,
    pending: () =>
      [...runtimes.values()].filter(({ becoming, ending, live }) => becoming || ending || live?.isStarting())
        .length,
    async close() {
      closing.abort();
      const grace = Math.min(settings.shutdown, graceAtClose);
      await Promise.all(
        [...runtimes].map(async ([id, runtime]) => {
          clearTimeout(runtime.timer);
          const [zone = '', name = ''] = id.split('/');
          if (!runtime.ending && runtime.process) end({ zone, name }, 'TERMINATED', undefined, grace);
          // Whoever waits for it to end waits less.
          const process = await runtime.process?.catch(() => undefined);
          await process?.shutDown(grace);
          await runtime.ending?.over;
        }),
      );
    },
  };
}

/** No machine of Compute Engine can have a name with a dot. */
const folderName = (name: string) => `${name}.tpu`;

const runOf = (node: Node, startedAt: string) => ({
  zone: node.zone,
  name: node.name,
  id: node.id,
  acceleratorType: node.acceleratorType,
  provisioningModel: node.provisioningModel,
  labels: node.body.labels ?? {},
  startedAt,
});

/** What ran when the cloud ended does not run any more. */
function recover(tables: Tables, discard: (key: Key) => void): void {
  const at = new Date().toISOString();
  for (const node of tables.nodes.all()) {
    tables.runs.end(node.id, at);
    if (node.state === 'CREATING' || node.state === 'DELETING') discard(node);
    else if (node.state !== 'PREEMPTED') tables.nodes.put({ ...node, state: 'TERMINATED' });
  }
}
