import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { until } from '../deploy/local/cloud/compute/kit.ts';
import { useLocalCloud } from '../localCloud.ts';
import { openSessions, type Sessions } from '../sessions/sessionKit.ts';

// JupyterLab is installed by pip.
jest.setTimeout(600_000);
const cloud = useLocalCloud();
let sessions: Sessions;
let venv: string;
const { PATH } = process.env;

beforeAll(async () => {
  venv = await mkdtemp(join(tmpdir(), 'gazeline-jupyter-'));
  execFileSync('python3', ['-m', 'venv', venv]);
  execFileSync(join(venv, 'bin/pip'), ['install', '--quiet', 'jupyterlab']);
  process.env.PATH = [join(venv, 'bin'), PATH].join(delimiter);
  sessions = await openSessions(cloud);
});
afterAll(async () => {
  process.env.PATH = PATH;
  await rm(venv, { recursive: true });
});

test('the link of a session opens a real Jupyter, in which a kernel computes, and a stop ends it', async () => {
  await sessions.place('pupils', { regions: ['europe-west4'] });
  const { link = '' } = await sessions.read('pupils');
  const lab = await until(async () => {
    const { status, headers } = await fetch(link, { redirect: 'manual' });
    return status === 302 ? new URL(headers.get('location') ?? '') : undefined;
  }, 60_000);
  const page = await fetch(lab);
  expect(await page.text()).toContain('JupyterLab');
  // Another site cannot ask for a kernel: it has no cookie to prove itself with.
  const kernels = new URL('/api/kernels', lab);
  expect((await fetch(kernels, { method: 'POST' })).status).toBe(403);
  const cookies = page.headers.getSetCookie().map((one) => one.split(';')[0]);
  const xsrf = cookies.find((one) => one?.startsWith('_xsrf='))?.slice('_xsrf='.length) ?? '';
  const headers = { cookie: cookies.join('; '), 'x-xsrftoken': xsrf };
  const made = await fetch(kernels, { method: 'POST', headers });
  expect(made.status).toBe(201);
  const { id } = (await made.json()) as { id: string };

  const socket = new WebSocket(`ws://${lab.host}/api/kernels/${id}/channels`, { headers } as never);
  const printed = new Promise<string>((resolve, reject) => {
    socket.addEventListener('error', () => reject(new Error('the socket failed')));
    socket.addEventListener('message', ({ data }) => {
      const { msg_type: type, content } = JSON.parse(String(data)) as {
        msg_type: string;
        content: { text?: string };
      };
      if (type === 'stream') resolve(content.text ?? '');
    });
  });
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  const message = { msg_id: 'one', msg_type: 'execute_request', username: '', session: 's', version: '5.3' };
  const content = { code: 'import os; print(6 * 7, os.getcwd())', silent: false };
  socket.send(
    JSON.stringify({ header: message, parent_header: {}, metadata: {}, content, channel: 'shell' }),
  );
  expect(await printed).toMatch(/^42 .*\/session-pupils\/jupyter\n$/);
  socket.close();

  await sessions.stop('pupils');
  await sessions.deliver();
  await expect(fetch(lab)).rejects.toThrow('fetch failed');
});
