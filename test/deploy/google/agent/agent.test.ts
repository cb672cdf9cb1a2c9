import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startMetadataServer } from '../../../../deploy/local/cloud/compute/metadataServer.ts';
import type { MachineMetadata } from '../../../../deploy/local/cloud/compute/metadataTree.ts';
import { type Heartbeat, parseHeartbeat } from '../../../../shared/machines/idle/heartbeat.ts';

const agent = resolve('deploy/google/agent/gazeline-agent.sh');
const run = promisify(execFile);
const machine = (): MachineMetadata => ({
  ...{ id: '1', name: 'a', zone: 'europe-west4-a', machineType: 'n1-standard-4', project: 'p' },
  ...{ numericProject: '1', preempted: false, guestAttributes: {} },
  attributes: { 'enable-guest-attributes': 'TRUE' },
  scheduling: { preemptible: false, automaticRestart: true, onHostMaintenance: 'MIGRATE' },
});

let dir: string;
let server: Awaited<ReturnType<typeof startMetadataServer>>;
let seen: MachineMetadata;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gazeline-agent-'));
  for (const folder of ['bin', 'busy', 'runtime']) await mkdir(join(dir, folder));
  seen = machine();
  server = await startMetadataServer(seen, { mintToken: async () => ({}) });
});
afterEach(async () => {
  await server.close();
  await rm(dir, { recursive: true });
});

/** What the agent has written after one look. */
async function look(): Promise<Heartbeat | undefined> {
  const env = {
    PATH: `${join(dir, 'bin')}:${process.env.PATH}`,
    GCE_METADATA_HOST: server.host,
    GAZELINE_BUSY: join(dir, 'busy'),
    GAZELINE_JUPYTER_RUNTIMES: join(dir, 'runtime'),
  };
  await run(agent, ['--once'], { env });
  return parseHeartbeat(seen.guestAttributes.gazeline?.heartbeat ?? '');
}

/** A command of this machine that answers this. */
async function command(name: string, script: string) {
  await writeFile(join(dir, 'bin', name), `#!/bin/sh\n${script}\n`);
  await chmod(join(dir, 'bin', name), 0o755);
}

test('on a quiet machine the agent says that it is there, and nothing else', async () => {
  await command('who', '');
  await command('ss', '');
  const heartbeat = await look();
  expect(heartbeat).toEqual({ at: expect.any(String), ssh: { sessions: 0 } });
  expect(Math.abs(Date.now() - Date.parse(heartbeat?.at ?? ''))).toBeLessThan(60_000);
});

test('the agent tells what says that it is at work, a GPU in use, and a session', async () => {
  await writeFile(join(dir, 'busy', 'down"load'), '');
  await command('nvidia-smi', 'echo 3; echo 97');
  await command('who', '');
  await command(
    'ss',
    'echo "0 0 10.0.0.2:22 35.1.1.1:5000"; echo "	 cubic lastsnd:10 lastrcv:7200000 lastack:10"',
  );
  const heartbeat = await look();
  expect(heartbeat).toMatchObject({ busy: 'download', gpuAt: heartbeat?.at, ssh: { sessions: 1 } });
  const idle = Date.parse(heartbeat?.at ?? '') - Date.parse(heartbeat?.ssh?.at ?? '');
  expect(Math.abs(idle - 7_200_000)).toBeLessThan(3000);
});

test('the agent asks Jupyter for its kernels, with its token, and passes over a server that was killed', async () => {
  const asked: (string | undefined)[] = [];
  const jupyter = createServer(({ url, headers }, response) => {
    asked.push(`${url} ${headers.authorization}`);
    response.end(
      JSON.stringify([
        { execution_state: 'busy', last_activity: '2026-11-20T11:00:00.123456Z' },
        { execution_state: 'idle', last_activity: '2026-11-20T12:00:00.123456Z' },
      ]),
    );
  }).listen(0, '127.0.0.1');
  await once(jupyter, 'listening');
  const { port } = jupyter.address() as AddressInfo;
  const file = { base_url: '/lab/', token: 'secret' };
  await writeFile(
    join(dir, 'runtime', 'jpserver-1.json'),
    JSON.stringify({ ...file, port, pid: process.pid }),
  );
  await writeFile(
    join(dir, 'runtime', 'jpserver-2.json'),
    JSON.stringify({ ...file, port: 1, pid: 99_999_999 }),
  );
  expect((await look())?.kernels).toEqual({ count: 2, busy: 1, at: '2026-11-20T12:00:00Z' });
  expect(asked).toEqual(['/lab/api/kernels token secret']);
  jupyter.close();
});

test('where guest attributes are switched off, a single look says so', async () => {
  seen.attributes = {};
  await expect(look()).rejects.toThrow();
});

const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0;
(hasShellcheck ? test : test.skip)('shellcheck finds nothing in the agent', async () => {
  expect((await run('shellcheck', [agent])).stdout).toBe('');
});
