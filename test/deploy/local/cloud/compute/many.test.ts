import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { setFaults } from '../../../../kit.ts';
import { useLocalCloud } from '../../../../localCloud.ts';
import { call } from '../storage/raw.ts';
import { machine, quick, setCompute, until, zone } from './kit.ts';

const cloud = useLocalCloud();
beforeAll(() => setCompute(cloud, { ...quick, shutdown: 300 }));

/** Everything that runs on a machine of this cloud has its folder among its arguments, or is a child of what has. */
const processes = () => {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'state=,args='], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.includes(cloud.dir) && !line.startsWith('Z'));
};

test('machines that are ended at any moment, sold out or preempted leave no process, disk or open bill behind', async () => {
  await setFaults(
    cloud,
    { service: 'compute', kind: 'stockOut', probability: 0.2 },
    { service: 'compute', kind: 'vanish', probability: 0.1 },
  );
  const instances = `${cloud.origin}/compute/v1/projects/${cloud.project}/zones/${zone}/instances`;
  const spot = { scheduling: { provisioningModel: 'SPOT', instanceTerminationAction: 'DELETE' } };
  const one = async (number: number) => {
    const name = `many-${number}`;
    // Its first argument names the folder, for `processes` to find it.
    const script = 'timeout 100 bash -c "sleep 100; :" "$PWD" & wait';
    const { status } = await call('POST', instances, { json: machine(name, script, spot) });
    expect(status).toBe(200);
    await sleep(number * 4);
    if (number % 3 === 0)
      await call('POST', `${cloud.origin}/_local/compute/preempt`, { json: { zone, name } });
    await call('DELETE', `${instances}/${name}`);
  };
  await Promise.all(Array.from({ length: 40 }, (_, number) => one(number)));
  await until(async () => (await call('GET', `${cloud.origin}/_local/pending`)).body.compute === 0);

  expect(processes()).toEqual([]);
  expect((await call('GET', instances)).body.items).toBeUndefined();
  expect((await call('GET', instances.replace('instances', 'disks'))).body.items).toBeUndefined();
  const bill = (await call('GET', `${cloud.origin}/_local/compute/bill`)).body as { endedAt?: string }[];
  expect(bill.length).toBeGreaterThan(0);
  expect(bill.filter(({ endedAt }) => endedAt === undefined)).toEqual([]);
});
