import { expect, test } from '@jest/globals';
import { zones } from '../../../deploy/local/cloud/compute/catalogue/zones.ts';
import { clients } from '../../../shared/clients.ts';
import { computeEngine } from '../../../shared/machines/computeEngine.ts';
import { priceTable } from '../../../shared/machines/priceTable.ts';
import { useLocalCloud } from '../../localCloud.ts';

const cloud = useLocalCloud();

test('a zone that does not exist has no machine, and is one that cannot be used; the search goes on', async () => {
  const machines = computeEngine(cloud.project, await clients.compute());
  const request = { project: cloud.project, zone: 'mars-1-a', instanceResource: { name: 'gazeline-a-1' } };
  expect(await machines.insert(request, 1000)).toMatchObject({ kind: 'zone-closed', scope: 'zone' });
  expect(await machines.look('mars-1-a', 'gazeline-a-1')).toBeUndefined();
  expect(await machines.remove('mars-1-a', 'gazeline-a-1')).toEqual({ gone: true });
});

test('the local cloud has every zone of the price table', () => {
  const missing = Object.values(priceTable().zones)
    .flat()
    .filter((zone) => !zones.includes(zone));
  expect(missing).toEqual([]);
});
