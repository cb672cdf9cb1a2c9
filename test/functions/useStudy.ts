import { beforeAll, beforeEach } from '@jest/globals';
import type { Cloud } from '../../deploy/local/cloud/cloud.ts';
import { forgetRequests, requestsAt, setFaults } from '../kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openStudy, type Study } from './driveKit.ts';

/** A study in a local cloud, with a folder of its own in the study folder for every test. */
export function useStudy() {
  const cloud: Cloud = useLocalCloud();
  const used = {
    cloud,
    study: undefined as never as Study,
    /** The id of the test's folder. */
    here: '',
    /** What the names of its objects begin with. */
    prefix: '',
    objects: () => used.study.objects(used.prefix),
    object: (name: string) => used.study.raw.file(used.prefix + name),
    downloads: async () =>
      (await requestsAt(cloud, 'drive')).filter(({ url }) => /alt=media|\/export/.test(url)).length,
    writes: async () => (await requestsAt(cloud, 'storage')).filter(({ method }) => method !== 'GET'),
    async versionsOf(name: string): Promise<number> {
      const [files] = await used.study.raw.getFiles({ prefix: used.prefix + name, versions: true });
      return files.filter((file) => file.name === used.prefix + name).length;
    },
  };
  let last = 0;
  beforeAll(async () => {
    used.study = await openStudy();
  });
  beforeEach(async () => {
    await setFaults(cloud);
    const name = `test ${last++}`;
    used.here = await used.study.folder(name);
    used.prefix = `${name}/`;
    used.study.log.entries.length = 0;
    await forgetRequests(cloud);
  });
  return used;
}
