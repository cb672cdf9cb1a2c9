import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { useLocalCloud } from '../../../../localCloud.ts';
import {
  type Clients,
  clientsOf,
  insert,
  lives,
  machine,
  quick,
  setCompute,
  until,
  wait,
  zone,
} from './kit.ts';

const cloud = useLocalCloud();
let clients: Clients;
beforeAll(async () => {
  clients = clientsOf(cloud);
  await setCompute(cloud, quick);
});
const at = (instance: string) => ({ project: cloud.project, zone, instance });
const get = async (name: string) => (await clients.instances.get(at(name)))[0];
const file = (name: string, path: string) => readFile(join(cloud.dir, 'machines', zone, name, path), 'utf8');

test('a machine is inserted, runs its start-up script in its own folder, and goes on when that has ended', async () => {
  const script = 'pwd > where; echo "$HOME" > home; echo hello; echo trouble >&2; exit 3';
  const operation = await insert(cloud, clients, machine('runs', script, { labels: { lab: 'eyes' } }));
  expect(operation).toMatchObject({ status: 'DONE', operationType: 'insert', progress: 100 });
  expect(operation.error).toBeUndefined();
  expect(await until(() => file('runs', 'home').catch(() => ''))).toBe(await file('runs', 'where'));
  expect((await file('runs', 'home')).trim()).toBe(join(cloud.dir, 'machines', zone, 'runs'));
  const serial = await until(async () => {
    const [{ contents }] = await clients.instances.getSerialPortOutput(at('runs'));
    return contents?.includes('Finished running startup scripts') && contents;
  });
  expect(serial).toMatch(/startup-script: hello\r\n/);
  expect(serial).toMatch(/startup-script: trouble\r\n/);
  expect(serial).toMatch(/startup-script exit status 3/);
  expect(await get('runs')).toMatchObject({
    status: 'RUNNING',
    labels: { lab: 'eyes' },
    id: expect.stringMatching(/^\d{19}$/),
    zone: `${cloud.origin}/compute/v1/projects/${cloud.project}/zones/${zone}`,
    lastStartTimestamp: expect.any(String),
    scheduling: { provisioningModel: 'STANDARD', automaticRestart: true },
  });
});

test('on the machine, its metadata server, the local buckets and its account are found by environment alone', async () => {
  const script = `
    meta() { curl -sf -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/$1"; }
    meta name > name; meta attributes/color > color; meta service-accounts/default/token > token
    curl -sf -X PUT --data busy -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/guest-attributes/gazeline/state"
    curl -sf "$STORAGE_EMULATOR_HOST/storage/v1/b" > buckets
    echo "$GAZELINE_PROJECT$GOOGLE_APPLICATION_CREDENTIALS" > leaked
    realpath "$GAZELINE_WORK" "$GAZELINE_MEMORY" > places
    touch done`;
  const items = [
    { key: 'startup-script', value: script },
    { key: 'color', value: 'blue' },
    { key: 'enable-guest-attributes', value: 'TRUE' },
  ];
  await insert(cloud, clients, machine('asks', undefined, { metadata: { items } }));
  await until(() =>
    file('asks', 'done').then(
      () => true,
      () => false,
    ),
  );
  expect(await file('asks', 'name')).toBe('asks');
  expect(await file('asks', 'color')).toBe('blue');
  expect(JSON.parse(await file('asks', 'token'))).toMatchObject({ token_type: 'Bearer' });
  expect(JSON.parse(await file('asks', 'buckets'))).toMatchObject({ kind: 'storage#buckets' });
  expect(await file('asks', 'leaked')).toBe('\n');
  // What is left of a machine that is killed goes with its folder.
  const folder = join(cloud.dir, 'machines', zone, 'asks');
  expect(await file('asks', 'places')).toBe(`${join(folder, 'work')}\n${join(folder, 'tmp')}\n`);
  const [attributes] = await clients.instances.getGuestAttributes({ ...at('asks'), queryPath: 'gazeline/' });
  expect(attributes.queryValue?.items).toMatchObject([
    { namespace: 'gazeline', key: 'state', value: 'busy' },
  ]);

  const { metadata } = await get('asks');
  const changed = { fingerprint: metadata?.fingerprint ?? '', items: [{ key: 'color', value: 'red' }] };
  await clients.instances.setMetadata({ ...at('asks'), metadataResource: changed });
  await expect(clients.instances.setMetadata({ ...at('asks'), metadataResource: changed })).rejects.toThrow(
    'fingerprint',
  );
  expect((await get('asks')).metadata?.items).toMatchObject(changed.items);
});

test('poweroff on the machine stops it: everything on it gets SIGTERM, and an operation of Google says so', async () => {
  const script = `
    trap 'echo told > told; exit 0' TERM
    timeout 60 sleep 50 & echo $! > child
    poweroff; wait`;
  await insert(cloud, clients, machine('off', script));
  const ended = await until(async () => {
    const instance = await get('off');
    return instance.status === 'TERMINATED' ? instance : undefined;
  });
  expect(ended.lastStopTimestamp).toBeTruthy();
  expect(await file('off', 'told')).toBe('told\n');
  expect(lives(await file('off', 'child'))).toBe(false);
  const [operations] = await clients.operations.list({
    project: cloud.project,
    zone,
    filter: 'operationType="compute.instances.guestTerminate"',
  });
  expect(operations.map(({ targetLink, user }) => [targetLink?.split('/').at(-1), user])).toEqual([
    ['off', 'system'],
  ]);
  await expect(clients.instances.getSerialPortOutput(at('off'))).rejects.toThrow('is not ready');
});

test('a machine that does not listen to its end is cut off, and runs its script again when it is started', async () => {
  const script = "trap '' TERM; echo run >> runs; sleep 60";
  await insert(cloud, clients, machine('deaf', script));
  await until(() => file('deaf', 'runs').catch(() => ''));
  const [{ latestResponse: stop }] = await clients.instances.stop(at('deaf'));
  expect((await get('deaf')).status).toBe('STOPPING');
  await wait(cloud, clients, stop.name ?? '');
  expect((await get('deaf')).status).toBe('TERMINATED');
  const [{ latestResponse: start }] = await clients.instances.start(at('deaf'));
  await wait(cloud, clients, start.name ?? '');
  expect((await get('deaf')).status).toBe('RUNNING');
  await until(async () => (await file('deaf', 'runs')) === 'run\nrun\n');
});

test('a deleted machine is gone with its disk and folder, and one whose disk is to stay leaves it behind', async () => {
  const [boot] = machine('', '').disks;
  await insert(cloud, clients, machine('goes', 'touch here'));
  await insert(cloud, clients, machine('stays', 'touch here', { disks: [{ ...boot, autoDelete: false }] }));
  for (const name of ['goes', 'stays']) {
    await until(() =>
      file(name, 'here').then(
        () => true,
        () => false,
      ),
    );
    const [{ latestResponse }] = await clients.instances.delete(at(name));
    expect(await wait(cloud, clients, latestResponse.name ?? '')).toMatchObject({ operationType: 'delete' });
    await expect(get(name)).rejects.toMatchObject({ code: 5 });
  }
  const [disks] = await clients.disks.list({ project: cloud.project, zone, filter: 'name eq "goes|stays"' });
  expect(disks.map(({ name, users }) => ({ name, users }))).toEqual([{ name: 'stays', users: [] }]);
  expect(await file('stays', 'here')).toBe('');
  await until(() =>
    file('goes', 'here').then(
      () => false,
      () => true,
    ),
  );
  await clients.disks.delete({ project: cloud.project, zone, disk: 'stays' });
  await until(() =>
    file('stays', 'here').then(
      () => false,
      () => true,
    ),
  );
});

test('a machine ends by itself when its run time is over, and its end can be read before', async () => {
  const scheduling = { maxRunDuration: { seconds: 1 }, instanceTerminationAction: 'DELETE' };
  await insert(cloud, clients, machine('short', "trap 'exit 0' TERM; sleep 60 & wait", { scheduling }));
  const { lastStartTimestamp, resourceStatus } = await get('short');
  const end = Date.parse(resourceStatus?.scheduling?.terminationTimestamp ?? '');
  expect(end - Date.parse(lastStartTimestamp ?? '')).toBe(1000);
  await until(() =>
    get('short').then(
      () => false,
      ({ code }) => code === 5,
    ),
  );
  expect(Date.now()).toBeGreaterThanOrEqual(end);
});

test('the serial port keeps the last megabyte, and says where that begins', async () => {
  const script = 'yes 0123456789012345678901234567890123456789 | head -n 20000';
  await insert(cloud, clients, machine('talks', script));
  const output = await until(async () => {
    const [output] = await clients.instances.getSerialPortOutput({ ...at('talks'), start: 5 });
    return output?.contents?.includes('Finished') ? output : undefined;
  });
  expect(output.contents).toHaveLength(1024 ** 2);
  expect(Number(output.start)).toBe(Number(output.next) - 1024 ** 2);
  const [rest] = await clients.instances.getSerialPortOutput({ ...at('talks'), start: Number(output.next) });
  expect(rest.contents).toBe('');
});

test('pages, filters and aggregated lists hold what is asked for', async () => {
  for (const name of ['list-a', 'list-b', 'list-c'])
    await insert(cloud, clients, machine(name, undefined, { labels: { set: 'list', one: name } }));
  const list = { project: cloud.project, zone };
  const [page, , raw] = await clients.instances.list(
    { ...list, filter: 'labels.set=list', maxResults: 2 },
    { autoPaginate: false },
  );
  expect(page.map(({ name }) => name)).toEqual(['list-a', 'list-b']);
  expect(raw?.nextPageToken).toBeTruthy();
  const [all] = await clients.instances.list({
    ...list,
    filter: '(labels.set = "list") AND (status = RUNNING)',
    maxResults: 1,
  });
  expect(all.map(({ name }) => name)).toEqual(['list-a', 'list-b', 'list-c']);
  const [one] = await clients.instances.list({
    ...list,
    filter: 'labels.one:* AND NOT name:list-a name!="list-b"',
  });
  expect(one.map(({ name }) => name)).toEqual(['list-c']);
  const scopes = new Map<
    string,
    { instances?: { name?: string | null }[] | null; warning?: { code?: string | null } | null }
  >();
  const request = { project: cloud.project, filter: 'labels.set=list', maxResults: 2 };
  for await (const [scope, found] of clients.instances.aggregatedListAsync(request)) {
    if (found.instances?.length || !scopes.has(scope)) scopes.set(scope, found);
  }
  expect(scopes.get(`zones/${zone}`)?.instances?.map(({ name }) => name)).toContain('list-c');
  expect(scopes.get('zones/us-central1-a')?.warning?.code).toBe('NO_RESULTS_ON_PAGE');
  expect(scopes.size).toBeGreaterThan(40);
});

test('a machine becomes in steps, and one that is deleted on the way is gone, with an insert that says so', async () => {
  await setCompute(cloud, { ...quick, delays: { provisioning: 200, staging: 200 } });
  const seen = new Set<string>();
  const inserted = insert(cloud, clients, machine('steps', ''));
  await until(async () => {
    const status = await get('steps').then(
      (instance) => instance.status ?? '',
      () => '',
    );
    seen.add(status);
    return status === 'RUNNING';
  });
  seen.delete('');
  expect([...seen]).toEqual(['PROVISIONING', 'STAGING', 'RUNNING']);
  await inserted;

  const request = { project: cloud.project, zone, instanceResource: machine('unborn', '') };
  const [{ latestResponse: begun }] = await clients.instances.insert(request);
  const [{ latestResponse: deletion }] = await clients.instances.delete(at('unborn'));
  expect((await wait(cloud, clients, deletion.name ?? '')).error).toBeUndefined();
  const done = await wait(cloud, clients, begun.name ?? '');
  expect(done.error?.errors?.map(({ code }) => code)).toEqual(['RESOURCE_NOT_FOUND']);
  await expect(get('unborn')).rejects.toMatchObject({ code: 5 });
  await setCompute(cloud, quick);
});

test('a name that was freed is used again at once, on an empty disk', async () => {
  for (const round of ['first', 'second']) {
    await insert(cloud, clients, machine('again', `ls > found; echo ${round} > ${round}`));
    await until(() => file('again', round).catch(() => ''));
    expect((await file('again', 'found')).split('\n')).not.toContain('first');
    const [{ latestResponse }] = await clients.instances.delete(at('again'));
    await wait(cloud, clients, latestResponse.name ?? '');
  }
});

test('what a machine saves at its end reaches a bucket, for its grace is its own', async () => {
  await fetch(`${cloud.origin}/storage/v1/b`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'saved' }),
  });
  const script = `
    trap 'curl -s -X POST --data saved "$STORAGE_EMULATOR_HOST/upload/storage/v1/b/saved/o?uploadType=media&name=last"; exit 0' TERM
    touch ready; sleep 60 & wait`;
  await insert(cloud, clients, machine('saves', script));
  await until(() =>
    file('saves', 'ready').then(
      () => true,
      () => false,
    ),
  );
  const [{ latestResponse }] = await clients.instances.delete(at('saves'));
  await wait(cloud, clients, latestResponse.name ?? '');
  const answer = await fetch(`${cloud.origin}/storage/v1/b/saved/o/last?alt=media`);
  expect(await answer.text()).toBe('saved');
});
