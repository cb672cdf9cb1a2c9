import { beforeAll, beforeEach } from '@jest/globals';
import type { FileSyncDependencies } from '../../functions/file-sync.ts';
import { forgetRequests, requestsAt, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openSync, type Sync } from './syncKit.ts';

/** The sync over a local cloud, with a folder of its own in the study folder for every test. */
export function useSync(overrides: Partial<FileSyncDependencies> = {}) {
  const cloud = useLocalCloud();
  const used = {
    cloud,
    sync: undefined as never as Sync,
    /** The id of the test's folder. */
    here: '',
    /** What the names of its objects begin with. */
    prefix: '',
    objects: () => used.sync.objects(used.prefix),
    /** What a person should know of the test's own files. */
    attention: async () => {
      const all = Object.entries(await used.sync.attention());
      return Object.fromEntries(all.filter(([path]) => path.startsWith(used.prefix)));
    },
    object: (name: string) => used.sync.raw.file(used.prefix + name),
    versions: async () => {
      const [files] = await used.sync.raw.getFiles({ prefix: used.prefix, versions: true });
      return files.map(({ name, metadata }) => ({ name: name.slice(used.prefix.length), metadata }));
    },
    driveRequests: () => requestsAt(cloud, 'drive'),
    downloads: async () =>
      (await requestsAt(cloud, 'drive')).filter(({ url }) => /alt=media|\/export/i.test(url)).length,
    /** Writes to the raw bucket. */
    writes: async () =>
      (await requestsAt(cloud, 'storage')).filter(
        ({ method, url }) => method !== 'GET' && /\/b\/raw\/o/.test(url),
      ),
    settings: async (settings: object) => {
      await fetch(`${cloud.origin}/_local/drive/settings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(settings),
      });
    },
  };
  let last = 0;
  beforeAll(async () => {
    used.sync = await openSync(overrides);
    await used.sync.settle();
  });
  beforeEach(async () => {
    await setFaults(cloud);
    await used.settings({ childEntries: false });
    Object.assign(used.sync.dependencies, { ...used.sync.defaults });
    const name = `test ${last++}`;
    used.here = await used.sync.folder(name);
    used.prefix = `${name}/`;
    await used.sync.settle();
    used.sync.log.entries.length = 0;
    used.sync.errors.length = 0;
    await forgetRequests(cloud);
  });
  return used;
}
