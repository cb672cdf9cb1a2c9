import { expect, test } from '@jest/globals';
import { removalsPerRun } from '../../shared/drive/removals.ts';
import { forgetRequests, isUnconditionalWrite, requestsAt } from '../kit.ts';
import { useSync } from '../sync/useSync.ts';
import { gazeline, jsonLines } from './gazeline.ts';

const used = useSync();
const form = 'application/vnd.google-apps.form';
const document = 'application/vnd.google-apps.document';

/** What the plan says of the test's own files: `rename b from a`. */
async function planned(env: Record<string, string> = {}) {
  await forgetRequests(used.cloud);
  const { code, out, err } = await gazeline(['sync', 'plan', '--json'], { env });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const written = (await requestsAt(used.cloud, 'storage')).filter(({ method }) => method !== 'GET');
  expect(written).toEqual([]);
  const entries = jsonLines(out) as { do?: string; name: string; from?: string; because: string }[];
  expect(entries.pop()).toMatchObject({ summary: { looked: expect.any(Number), errors: 0 } });
  return entries.filter(({ name }) => name.startsWith(used.prefix));
}

/** What reached the raw bucket and was done there, in the words of the plan. */
async function done(): Promise<string[]> {
  const effects = (await used.writes())
    .filter(({ status }) => status < 300)
    .map(({ method, url }) => {
      const { pathname, searchParams } = new URL(url, 'http://cloud');
      const [from = '', to] = pathname
        .replace(/^.*?\/b\/raw\/o\/?/, '')
        .split('/rewriteTo/b/raw/o/')
        .map(decodeURIComponent);
      if (method === 'DELETE') return `delete ${from}`;
      if (method === 'PATCH') return `describe ${from}`;
      return to ? `copy ${to} from ${from}` : `upload ${searchParams.get('name')}`;
    });
  return effects.sort();
}

const effectsOf = (entries: { do?: string; name: string; from?: string }[]) =>
  entries
    .flatMap(({ do: verb, name, from }) => {
      if (verb === 'rename') return [`copy ${name} from ${from}`, `delete ${from}`];
      if (verb === 'restore') return [`copy ${name} from ${from}`];
      if (verb === 'retire') return [`delete ${name}`];
      return verb === 'upload' || verb === 'describe' ? [`${verb} ${name}`] : [];
    })
    .sort();

test('24. the plan equals what a real run does', async () => {
  const { file, folder, change, edit, move, remove, create, raw } = used.sync;
  const here = used.here;
  const below = await folder('below', here);
  const names = ['same.txt', 'edited.txt', 'renamed.txt', 'moved.txt', 'touched.txt', 'trashed.txt'];
  const ids: Record<string, string> = {};
  for (const name of [...names, 'deleted.txt', 'lost.txt', 'both.txt']) ids[name] = await file(here, name);
  await file(below, 'a.txt');
  await file(below, 'b.txt');
  const back = await file(here, 'back.txt');
  await used.sync.settle();
  await change(back, { trashed: true });
  await used.sync.settle();

  await edit(ids['edited.txt'] as string, 'edited');
  await change(ids['renamed.txt'] as string, { name: 'another name.txt' });
  await move(ids['moved.txt'] as string, await folder('elsewhere', here));
  await change(ids['touched.txt'] as string, { modifiedTime: '2020-01-02T03:04:05.000Z' });
  await change(ids['trashed.txt'] as string, { trashed: true });
  await remove(ids['deleted.txt'] as string);
  await raw.file(`${used.prefix}lost.txt`).delete({ ifGenerationMatch: await generationOf('lost.txt') });
  await change(ids['both.txt'] as string, { name: 'both new.txt' });
  await edit(ids['both.txt'] as string, 'both');
  await change(below, { name: 'renamed folder' });
  await change(back, { trashed: false });
  await file(here, 'new.txt', 'x'.repeat(12_345));
  await file(here, 'twin.txt', 'first');
  const twin = await file(here, 'twin.txt', 'second');
  await create({ name: 'doc', parents: [here], mimeType: document }, 'a text');
  await create({ name: 'form', parents: [here], mimeType: form });
  await raw.file(`${used.prefix}stranger`).save('?', { preconditionOpts: { ifGenerationMatch: '0' } });

  const entries = await planned();
  const said = entries.map(({ do: verb, name, from, because }) =>
    [verb, name, from ? `from ${from}` : '', because].filter(Boolean).join(' ').replaceAll(used.prefix, ''),
  );
  expect(said.sort()).toEqual([
    'describe touched.txt its modification time or type has changed',
    'leave stranger it did not come from Drive, and is left alone',
    'rename another name.txt from renamed.txt its name or folder has changed',
    'rename elsewhere/moved.txt from moved.txt its name or folder has changed',
    'rename renamed folder/a.txt from below/a.txt its name or folder has changed',
    'rename renamed folder/b.txt from below/b.txt its name or folder has changed',
    'restore back.txt from back.txt it is wanted again, and the bucket has kept its bytes',
    'restore lost.txt from lost.txt it is wanted again, and the bucket has kept its bytes',
    'retire both.txt its file has another name or format now',
    'retire deleted.txt it is deleted, or not shared any more',
    'retire trashed.txt it is in the trash',
    'skip form a form is not exported',
    'upload both new.txt its name and its content have changed',
    'upload doc.docx it is new',
    'upload doc.txt it is new',
    'upload edited.txt its content has changed',
    'upload new.txt it is new',
    `upload twin.txt it is new`,
    `upload twin~${twin}.txt it is new`,
  ]);
  expect(entries.find(({ name }) => name.endsWith('/new.txt'))).toMatchObject({ bytes: 12_345 });

  await forgetRequests(used.cloud);
  await used.sync.settle();
  await used.sync.reconcile();
  await used.sync.pump();
  expect(await done()).toEqual(effectsOf(entries));
  expect((await requestsAt(used.cloud, 'storage')).filter(isUnconditionalWrite)).toEqual([]);
  expect(Object.values(await used.attention())).toEqual(['skipped: a form is not exported']);
  // And now there is nothing to be done.
  expect((await planned()).map(({ do: verb }) => verb).sort()).toEqual(['leave', 'skip']);

  async function generationOf(name: string) {
    const [{ generation }] = await used.object(name).getMetadata();
    return String(generation);
  }
});

test('24. the plan says which removals would be held', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const ids: string[] = [];
  for (const name of names) ids.push(await used.sync.file(used.here, name));
  await used.sync.settle();
  for (const id of ids) await used.sync.change(id, { trashed: true });
  const entries = await planned({ GAZELINE_REMOVALS_PER_RUN: '2' });
  const verbs = entries.map(({ do: verb }) => verb);
  expect(verbs).toEqual(['retire', 'retire', 'hold', 'hold', 'hold', 'hold']);

  const { dependencies } = used.sync;
  dependencies.mayRemove = removalsPerRun(dependencies.records, 2);
  await forgetRequests(used.cloud);
  await used.sync.settle();
  await used.sync.reconcile();
  await used.sync.pump();
  expect(await done()).toEqual(effectsOf(entries));
  const held = entries.filter(({ do: verb }) => verb === 'hold').map(({ name }) => name);
  expect(Object.keys(await used.attention()).sort()).toEqual(held);
});
