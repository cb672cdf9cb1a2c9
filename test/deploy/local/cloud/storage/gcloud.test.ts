import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { useLocalCloud } from '../../../../localCloud.ts';
import { testGcloud, useGcloud } from '../useGcloud.ts';
import { bytes, call } from './raw.ts';

const cloud = useLocalCloud();
const used = useGcloud(cloud);

async function storage(args: string[], settings: Record<string, string> = {}): Promise<string> {
  const env = {
    CLOUDSDK_STORAGE_RESUMABLE_THRESHOLD: '1M',
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${cloud.origin}/`,
    ...settings,
  };
  return used.gcloud(['storage', ...args], env);
}
const seen = async () => {
  const { body } = await call('GET', `${cloud.origin}/_local/requests?service=storage`);
  return (body.requests as { url: string; detail?: { op: string } }[]).map(({ url, detail }) => ({
    url,
    op: detail?.op,
  }));
};

testGcloud(
  'gcloud storage copies, lists, moves, compares and removes',
  async () => {
    const local = join(used.dir, 'study');
    await mkdir(join(local, 'sub'), { recursive: true });
    await writeFile(join(local, 'a.txt'), 'hello');
    await writeFile(join(local, 'sub', 'b ü.txt'), 'words');
    await writeFile(join(local, 'empty'), '');

    await call('POST', `${cloud.origin}/storage/v1/b`, { json: { name: 'gcloud-bucket' } });
    await storage(['cp', '-r', local, 'gs://gcloud-bucket']);
    const moved = storage(['mv', 'gs://gcloud-bucket/study/a.txt', 'gs://gcloud-bucket/study/c.txt']);
    expect(await storage(['cat', 'gs://gcloud-bucket/study/sub/b ü.txt'])).toBe('words');
    await moved;
    const listed = await storage(['ls', '-r', 'gs://gcloud-bucket/**']);
    expect(listed.trim().split('\n')).toEqual([
      'gs://gcloud-bucket/study/c.txt',
      'gs://gcloud-bucket/study/empty',
      'gs://gcloud-bucket/study/sub/b ü.txt',
    ]);
    await storage([
      'rsync',
      '-r',
      '--delete-unmatched-destination-objects',
      local,
      'gs://gcloud-bucket/study',
    ]);
    await mkdir(join(used.dir, 'back'));
    await storage(['rsync', '-r', 'gs://gcloud-bucket/study', join(used.dir, 'back')]);
    expect(await readFile(join(used.dir, 'back', 'a.txt'), 'utf8')).toBe('hello');
    await expect(readFile(join(used.dir, 'back', 'c.txt'))).rejects.toThrow();
    await storage(['rm', '-r', 'gs://gcloud-bucket']);
    expect(await call('GET', `${cloud.origin}/storage/v1/b/gcloud-bucket`)).toMatchObject({ status: 404 });
  },
  60_000,
);

testGcloud(
  'gcloud storage sends a big file in a resumable upload, and in parallel parts',
  async () => {
    const file = join(used.dir, 'big');
    const data = bytes(6_000_000);
    await writeFile(file, data);
    await call('POST', `${cloud.origin}/storage/v1/b`, { json: { name: 'gcloud-big' } });
    await storage(['cp', file, 'gs://gcloud-big/resumed'], {
      CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_ENABLED: 'False',
    });
    expect((await seen()).some(({ url }) => /uploadType=resumable.*upload_id=/.test(url))).toBe(true);

    await storage(['cp', file, 'gs://gcloud-big/composed'], {
      CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_ENABLED: 'True',
      CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_THRESHOLD: '3M',
      CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_COMPONENT_SIZE: '2M',
    });
    expect((await seen()).some(({ op }) => op === 'objects.compose')).toBe(true);
    const { body } = await call('GET', `${cloud.origin}/storage/v1/b/gcloud-big/o`);
    expect(body.items.map(({ name }: { name: string }) => name)).toEqual(['composed', 'resumed']);
    expect(body.items[0].crc32c).toBe(body.items[1].crc32c);

    const back = join(used.dir, 'big-back');
    await storage(['cp', 'gs://gcloud-big/composed', back], {
      CLOUDSDK_STORAGE_SLICED_OBJECT_DOWNLOAD_THRESHOLD: '2M',
      CLOUDSDK_STORAGE_SLICED_OBJECT_DOWNLOAD_COMPONENT_SIZE: '2M',
    });
    expect((await readFile(back)).equals(data)).toBe(true);
  },
  60_000,
);
