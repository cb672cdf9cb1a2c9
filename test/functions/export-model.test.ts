import { expect, test } from '@jest/globals';
import { exportToDrive } from '../../functions/export.ts';
import { clients } from '../../shared/clients.ts';
import { folderType } from '../../shared/drive/driveFile.ts';

import type { ExportRun } from '../../shared/export/exportRun.ts';
import { ExportRequested } from '../../shared/export/requestExport.ts';
import { setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { type Kill, kills } from '../sync/kills.ts';
import { seeded } from '../sync/model.ts';
import { type Change, type Exporting, openExport } from './exportKit.ts';

/*
 * Objects come, change and go, and people work in the folder that is exported to, while deliveries come twice, at the same
 * time and in any order, and everything fails at random; then it is quiet. `SEED=7 npm run jest --
 * test/functions/export-model` runs one seed again, `SEEDS=1-500` as many as that.
 */
let strikes = Math.random;
const cloud = useLocalCloud({ random: () => strikes() });
let kill = (): Kill => undefined;
const processes = kills(() => kill());
const [first = 1, last = first] = (process.env.SEED ?? process.env.SEEDS ?? '1-4').split('-').map(Number);
/** Seeds that found something once. */
const kept: number[] = [];

const uploads = { service: 'drive', method: 'PUT', path: '/upload/' };
const faults = [
  { service: 'drive', kind: 'status', status: 503, probability: 0.04 },
  { service: 'drive', kind: 'status', status: 429, reason: 'rateLimitExceeded', probability: 0.02 },
  { service: 'drive', kind: 'status', status: 403, reason: 'userRateLimitExceeded', probability: 0.02 },
  { service: 'drive', kind: 'cut', probability: 0.03 },
  { service: 'drive', kind: 'lostAnswer', probability: 0.05 },
  { service: 'drive', kind: 'incompleteSearch', probability: 0.03 },
  { ...uploads, kind: 'shortAck', probability: 0.2 },
  { ...uploads, kind: 'expireSession', probability: 0.03 },
  { service: 'storage', kind: 'status', status: 503, probability: 0.03 },
  { service: 'storage', kind: 'cut', probability: 0.02 },
  { service: 'storage', kind: 'lostAnswer', probability: 0.03 },
];

const names = ['a.csv', 'a (gazeline).csv', 'b/c.bin', 'b/d', 'b/e/f.txt', 'B/c.bin', 'large.edf'];
const slice = 256 * 1024;

test.each([...kept, ...Array.from({ length: last - first + 1 }, (_, index) => first + index)])(
  'seed %i: in the end every object is in the folder, nothing of anybody else is lost, and nothing is there twice',
  async (seed) => {
    const random = seeded(seed);
    const chance = seeded(seed + 1_000_000);
    strikes = seeded(seed + 2_000_000);
    const choose = (count: number) => Math.floor(random() * count);
    const storage = await clients.storage();
    // It waits a second at the least between two tries; so every fault is ours to overcome.
    storage.retryOptions.autoRetry = false;
    await setFaults(cloud);
    const to = await openExport({ random: () => 0 });
    const sharedDrive = await lab(to);
    await settings({ ownIds: choose(3) > 0 });
    const folder = await to.folder(`seed ${seed}`, sharedDrive);
    const prefix = `seed ${seed}/`;
    const queue: ExportRequested[] = [];
    const runs: string[] = [];
    const publish = processes.publish(async (_topic, messages) => {
      queue.push(...messages.map(({ data }) => ExportRequested.parse(data)));
    });
    const change: Change = { lease: 30, publish, pageSize: 2, sliceSize: slice, mostAtOnce: 1000 };
    const objects = new Map<string, string>();
    /** What people wrote, by the ids of the files. */
    const theirs = new Map<string, string>();
    const everMade = new Set<string>();
    const history: string[] = [];
    let version = 0;

    const put = async () => {
      const name = names[choose(names.length)] as string;
      const size = name === 'large.edf' ? slice + choose(2 * slice) : choose(4) * 700;
      const content = `${++version} `.padEnd(size, 'x').slice(0, Math.max(size, 0));
      history.push(`put ${name} ${content.length}`);
      objects.set(name, content);
      await to.put(prefix + name, content);
    };
    const remove = async () => {
      const name = [...objects.keys()][choose(objects.size)];
      if (!name) return;
      history.push(`remove ${name}`);
      objects.delete(name);
      await to.derived.file(prefix + name).delete();
    };
    /** All that is in the folder, without what is in the trash. */
    const items = async (parent = folder, path = ''): Promise<Item[]> => {
      const found: Item[] = [];
      for (const { id, name, mimeType, appProperties } of await to.children(parent)) {
        const item = { id: String(id), parent, path: `${path}${name}`, isFolder: mimeType === folderType };
        found.push({ ...item, object: appProperties?.gazelineObject });
        if (item.isFolder) found.push(...(await items(item.id, `${item.path}/`)));
      }
      return found;
    };
    const byHand = async () => {
      const there = await items();
      const files = there.filter(({ isFolder }) => !isFolder);
      const content = `by hand ${++version}`;
      const file = files[choose(files.length)];
      const did = ['make', 'edit', 'rename', 'trash', 'delete', 'trash folder'][choose(6)];
      if (did === 'make') {
        const parents = [folder, ...there.filter(({ isFolder }) => isFolder).map(({ id }) => id)];
        const name = (names[choose(names.length)] ?? '').split('/').at(-1) ?? '';
        const id = await to.file(parents[choose(parents.length)] as string, name, content);
        theirs.set(id, content);
        everMade.add(id);
        history.push(`make ${name}`);
      } else if (did === 'trash folder') {
        const one = there.find(({ isFolder }) => isFolder);
        if (!one) return;
        history.push(`trash ${one.path}/`);
        for (const { id, path } of there) if (path.startsWith(`${one.path}/`)) theirs.delete(id);
        await to.change(one.id, { trashed: true });
      } else if (file) {
        history.push(`${did} ${file.path}`);
        if (did === 'edit') {
          await to.edit(file.id, content);
          theirs.set(file.id, content);
        } else if (did === 'rename') {
          await to.change(file.id, { name: `renamed ${version}` });
        } else {
          theirs.delete(file.id);
          if (did === 'trash') await to.change(file.id, { trashed: true });
          else await to.drive.files.delete({ fileId: file.id, supportsAllDrives: true });
        }
      }
    };
    const begin = async () => {
      const request = await to.request(prefix, folder);
      runs.push(request.export);
      queue.push(request);
      history.push('export');
    };

    /** Takes some messages, and delivers them at the same time; what fails comes again. */
    const deliver = async (isStormy: boolean) => {
      const instance = to.instance(change);
      const batch = Array.from({ length: Math.min(queue.length, 1 + choose(3)) }, () => {
        const [message] = queue.splice(choose(queue.length), 1);
        return message as ExportRequested;
      });
      // A process that is killed shares nothing with the others.
      const mayDie = isStormy && choose(2) === 0;
      kill = () => {
        if (!mayDie || chance() >= 0.03) return undefined;
        return chance() < 0.5 ? 'before' : 'after';
      };
      await Promise.all(
        batch.flatMap((message) => {
          const once = async () => {
            const time = isStormy ? { deadline: Date.now() + choose(400) } : {};
            const own = { ...(mayDie || choose(2) === 0 ? to.instance(change) : instance), ...time };
            try {
              await processes.run(() => exportToDrive(message, own));
            } catch {
              queue.push(message);
              await new Promise((resolve) => setTimeout(resolve, 15));
            }
          };
          return isStormy && choose(4) === 0 ? [once(), once()] : [once()];
        }),
      );
    };

    try {
      for (let step = 0; step < 9; step++) {
        await setFaults(cloud);
        for (let left = 1 + choose(3); left > 0; left--)
          await [put, put, put, remove, byHand, byHand][choose(6)]?.();
        if (step === 1 || choose(3) === 0) await begin();
        await setFaults(cloud, ...faults);
        for (let left = choose(12); left > 0 && queue.length > 0; left--) await deliver(true);
      }
      await setFaults(cloud, ...faults);
      for (let left = 25; left > 0 && queue.length > 0; left--) await deliver(true);
      await setFaults(cloud);
      await settle();
      await begin();
      await settle();

      for (const id of runs) {
        const run = await to.report(id);
        const isEmpty = run.reason?.includes('begins with') === true;
        expect({ id, state: run.state }).toEqual({ id, state: isEmpty ? 'failed' : 'done' });
        expect(Object.keys(run.outcomes)).toHaveLength(run.objects);
        expect(countOf(run)).toBe(run.objects);
      }
      const there = await items();
      const { outcomes } = await to.report(runs.at(-1) as string);
      for (const [name, content] of objects) {
        const path = outcomes[prefix + name]?.as ?? name;
        const found = await Promise.all(
          there.filter((item) => item.path === path && !item.isFolder).map(({ id }) => contentOf(id)),
        );
        expect({ name, path, isThere: found.includes(content) }).toEqual({ name, path, isThere: true });
      }
      for (const [id, content] of theirs)
        expect({ id, content: await contentOf(id) }).toEqual({ id, content });
      // Of two that are called the same in one folder, at least one is somebody's.
      const ours = there.filter(({ id, isFolder, object }) => !everMade.has(id) && (isFolder || object));
      const places = ours.map(({ parent, path, object, isFolder }) =>
        JSON.stringify([parent, path, isFolder ? 'folder' : object]),
      );
      expect(places.filter((place, index) => places.indexOf(place) !== index)).toEqual([]);
    } catch (error) {
      throw new Error(`seed ${seed}:\n${history.join('\n')}\n${(error as Error).message}`, { cause: error });
    } finally {
      await setFaults(cloud);
    }

    async function settle(): Promise<void> {
      for (let step = 0; queue.length > 0; step++) {
        if (step > 500) throw new Error(`It goes on for ever: ${JSON.stringify(queue)}`);
        await deliver(false);
      }
    }

    async function contentOf(fileId: string): Promise<string> {
      const media = { fileId, alt: 'media', supportsAllDrives: true } as const;
      const { data } = await to.drive.files.get(media, { responseType: 'text' });
      return String(data);
    }
  },
  120_000,
);

type Item = { id: string; parent: string; path: string; isFolder: boolean; object: string | undefined };

const countOf = ({ over }: ExportRun) =>
  Object.values(over)
    .flatMap(({ counts }) => Object.values(counts))
    .reduce((sum, count) => sum + count, 0);

async function lab({ drive }: Exporting): Promise<string> {
  const { data } = await drive.drives.list({});
  const there = data.drives?.[0]?.id;
  if (there) return there;
  const made = await drive.drives.create({ requestId: 'one', requestBody: { name: 'Lab' } });
  return String(made.data.id);
}

async function settings(body: object): Promise<void> {
  await fetch(`${cloud.origin}/_local/drive/settings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
