import { beforeAll, expect, test } from '@jest/globals';
import type { tpu_v2 } from 'googleapis/build/src/apis/tpu/v2.js';
import { clients } from '../../../shared/clients.ts';
import { mayHaveTpus } from '../../../shared/jobs/mayHaveTpus.ts';
import { parseJob } from '../../../shared/jobs/parseJob.ts';
import { submitJob } from '../../../shared/jobs/submitJob.ts';
import type { Machines } from '../../../shared/machines/machines.ts';
import { stopAll } from '../../../shared/machines/stopAll.ts';
import { tpuNodes } from '../../../shared/machines/tpuNodes.ts';
import { tpusOfJobs } from '../../../shared/machines/tpusOfJobs.ts';
import { recordsIn } from '../../../shared/storage/records.ts';
import { quick, setTpu, zone } from '../../deploy/local/cloud/tpu/kit.ts';
import { rememberLog } from '../../kit.ts';
import { useLocalCloud } from '../../localCloud.ts';
import { operationsAt, requestFor } from './tpuKit.ts';

const cloud = useLocalCloud();
let tpus: Machines<tpu_v2.Params$Resource$Projects$Locations$Queuedresources$Create>;
beforeAll(async () => {
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20)));
  tpus = tpuNodes(cloud.project, await clients.tpu(), { wait }) as typeof tpus;
  await setTpu(cloud, quick);
});

test('when all is stopped, the TPUs of jobs are removed, those that are still waited for as well', async () => {
  await tpus.insert(requestFor(cloud, 'runs'), 5000);
  await setTpu(cloud, { ...quick, soldOut: [{ zone }] });
  await tpus.insert(requestFor(cloud, 'waits'), 50);
  const before = (await tpus.list('eyes')).machines.map(({ name, status }) => [name, status]);
  expect(before).toEqual([
    ['gazeline-runs-1', 'READY'],
    ['gazeline-waits-1', 'WAITING'],
  ]);
  const dependencies = { discardLocalSsd: false, log: rememberLog(), now: Date.now };
  const pass = () =>
    stopAll(async () => true, { services: [tpusOfJobs(tpus as Machines, 'eyes')], ...dependencies });
  expect(await pass()).toEqual({
    complete: true,
    results: [
      { what: `${zone}/gazeline-runs-1`, outcome: 'stopped' },
      { what: `${zone}/gazeline-waits-1`, outcome: 'stopped' },
    ],
  });
  expect((await tpus.list('eyes')).machines).toEqual([]);
  const asked = await operationsAt(cloud);
  expect(await pass()).toEqual({ complete: true, results: [] });
  expect(await operationsAt(cloud)).toEqual(asked);
});

test('TPUs are looked for only where a job that is not over may have one', async () => {
  const storage = await clients.storage();
  await storage.createBucket('state');
  const records = recordsIn(storage, 'state');
  const submit = (accelerator: string) => {
    const job = parseJob(`{name: n, repository: "https://h/r", command: c, accelerators: [${accelerator}]}`);
    return submitJob(records, { job, key: accelerator, owner: 'ada' }, new Date());
  };
  await submit('T4');
  expect(await mayHaveTpus(records)).toBe(false);
  await submit('v5litepod-4');
  expect(await mayHaveTpus(records)).toBe(true);
});
