import { expect, test } from '@jest/globals';
import { openSync as openSyncOfCli } from '../../cli/sync/open.ts';
import { dryRun } from '../../shared/sync/dryRun.ts';
import type { Entry } from '../../shared/sync/entries.ts';
import { forgetRequests, requestsAt } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { createModel, seeded } from '../sync/model.ts';
import { openSync, type Sync } from '../sync/syncKit.ts';

/* `SEEDS=1-500 npm run jest -- test/cli/randomPlans.test.ts` tries as many. */
const cloud = useLocalCloud();
const [first = 0, last = first] = (process.env.SEED ?? process.env.SEEDS ?? '').split('-').map(Number);

/** A few, and those that found something once; `few`: when people did less. */
const kept: [number, 'few' | 'all'][] = [
  [46, 'few'],
  [55, 'few'],
  [112, 'few'],
  [116, 'few'],
  [1, 'all'],
  [2, 'all'],
];
const asked = Array.from({ length: last - first + 1 }, (_, index): (typeof kept)[0] => [
  first + index,
  'all',
]);

test.each(first > 0 ? asked : kept)(
  '24. seed %i (%s): after whatever people did, the plan equals what a real run does',
  async (seed, repertoire) => {
    const random = seeded(seed);
    const sync: Sync = await openSync();
    const root = await sync.folder(`seed ${seed}`);
    const prefix = `seed ${seed}/`;
    const model = createModel(sync, root, random, repertoire);
    for (let edit = 0; edit < 12; edit++) await model.edit();
    await sync.settle();
    const history: string[] = [];
    for (let edit = 0; edit < 6; edit++) history.push(await model.edit());

    const before = await names();
    const entries: Entry[] = [];
    for await (const part of dryRun(await openSyncOfCli())) entries.push(...part.entries);
    const planned = entries.filter(({ name }) => name.startsWith(prefix));
    await forgetRequests(cloud);
    await sync.settle();
    await sync.reconcile();
    await sync.pump();

    const after = new Set(before);
    for (const { do: verb, name, from } of planned) {
      if (verb === 'retire') after.delete(name);
      if (verb === 'rename') after.delete(from ?? '');
      if (['upload', 'rename', 'restore'].includes(verb)) after.add(name);
    }
    const label = `seed ${seed}: ${history.join(', ')}\n${JSON.stringify(planned, undefined, 1)}`;
    expect({ label, names: await names() }).toEqual({ label, names: [...after].sort() });
    const written = planned.filter(({ do: verb }) => ['upload', 'rename', 'restore'].includes(verb));
    const said = written.map(({ do: verb, name }) => `${verb === 'upload' ? 'upload' : 'copy'} ${name}`);
    expect({ label, done: await done() }).toEqual({ label, done: [...new Set(said)].sort() });

    async function names(): Promise<string[]> {
      const [files] = await sync.raw.getFiles({ prefix });
      return files.map(({ name }) => name).sort();
    }
  },
  60_000,
);

/** What was uploaded, and what was copied. */
async function done(): Promise<string[]> {
  const effects = new Set<string>();
  for (const { method, url, status } of await requestsAt(cloud, 'storage')) {
    const { pathname, searchParams } = new URL(url, 'http://cloud');
    const [, to] = /\/rewriteTo\/b\/raw\/o\/(.*)$/.exec(pathname)?.map(decodeURIComponent) ?? [];
    const name = searchParams.get('name');
    if (method === 'GET' || status >= 300) continue;
    if (to) effects.add(`copy ${to}`);
    else if (pathname === '/upload/storage/v1/b/raw/o' && name) effects.add(`upload ${name}`);
  }
  return [...effects].sort();
}
