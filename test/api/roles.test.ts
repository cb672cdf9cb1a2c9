import { expect, test } from '@jest/globals';
import { roles } from '../../shared/api/roles.ts';
import { routes } from '../../shared/api/routes/index.ts';
import { useApi } from './useApi.ts';

const api = useApi();

/** Written down here once more: a route that is opened or closed by mistake is noticed. */
const least: Record<string, (typeof roles)[number]> = {
  getOpenApi: 'reader',
  getMe: 'reader',
  listObjects: 'reader',
  createManifest: 'reader',
  getManifest: 'reader',
  listManifestObjects: 'reader',
  signUrls: 'reader',
  listAnnotations: 'reader',
  getAnnotation: 'reader',
  listAreasOfInterest: 'reader',
  getSyncStatus: 'reader',
  syncNow: 'runner',
  planSync: 'reader',
  verifySync: 'reader',
  quoteJob: 'reader',
  submitJob: 'runner',
  listJobs: 'reader',
  getJob: 'reader',
  cancelJob: 'runner',
  retryJob: 'runner',
  readJobLog: 'reader',
  listJobResults: 'reader',
  startSession: 'runner',
  listSessions: 'reader',
  getSession: 'reader',
  resumeSession: 'runner',
  stopSession: 'runner',
  prolongSession: 'runner',
  deleteSession: 'runner',
  runInSession: 'runner',
  listMachines: 'reader',
  keepMachine: 'runner',
  prolongMachine: 'runner',
  stopMachine: 'runner',
  getCost: 'reader',
  getGuard: 'reader',
  raiseGuard: 'admin',
  releaseGuard: 'admin',
  listDeadLetters: 'admin',
  getDeadLetter: 'admin',
  replayDeadLetter: 'admin',
  createExport: 'runner',
  listExports: 'reader',
  getExport: 'reader',
  cancelExport: 'runner',
};

test('every route is in the table of roles, and no other', () => {
  expect(routes.map(({ id }) => id).sort()).toEqual(Object.keys(least).sort());
});

test.each(routes.map(({ id, method, path }) => ({ id, method, path })))(
  '$method $path is answered to those who may, and to nobody else',
  async ({ id, method, path }) => {
    const needed = roles.indexOf(least[id] ?? 'admin');
    for (const [index, role] of roles.entries()) {
      const { status, json } = await api.ask(role, method, path.replace(/\{\w+\}/g, 'none'));
      expect([role, status === 403]).toEqual([role, index < needed]);
      if (status === 403) expect(json.detail).toBe(`This needs the role ${least[id]}; yours is ${role}.`);
    }
    expect((await api.ask('stranger', method, path.replace(/\{\w+\}/g, 'none'))).status).toBe(403);
    expect((await api.send(method, path.replace(/\{\w+\}/g, 'none'), {})).status).toBe(401);
  },
);

test('what a request asks for may need more than its route', async () => {
  const object = { name: 'models/a', ifGenerationMatch: '0' };
  const write = { body: { action: 'write', bucket: 'derived', objects: [object] } };
  expect((await api.ask('reader', 'POST', '/v1/signed-urls', write)).status).toBe(403);
  expect((await api.ask('runner', 'POST', '/v1/signed-urls', write)).status).toBe(200);
  const approve = { body: { approve: ['a-file'] } };
  expect((await api.ask('runner', 'POST', '/v1/sync/now', approve)).status).toBe(403);
  expect((await api.ask('admin', 'POST', '/v1/sync/now', approve)).status).toBe(409);
});

test('a stranger is told the same of what is there and of what is not', async () => {
  const answers = await Promise.all(
    ['/v1/me', '/v1/nothing', '/', '/v1/%zz', '/v1/jobs/none'].map((url) => api.ask('stranger', 'GET', url)),
  );
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
});
