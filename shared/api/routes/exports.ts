import * as z from 'zod';
import { cancelExport } from '../../export/cancelExport.ts';
import { ExportReport, ExportSummary, listExports, reportOf, summaryOf } from '../../export/exportReport.ts';
import { exportIdPattern, readExportRun } from '../../export/exportRun.ts';
import { ExportRequest, requestExport } from '../../export/requestExport.ts';
import { checkTarget, ExportRefused } from '../../export/target.ts';
import { cutPage, Paging, pageOfRecords } from '../paging.ts';
import { Refused } from '../refused.ts';
import { type Route, route } from '../route.ts';

const parameters = z.strictObject({
  id: z.string().regex(exportIdPattern, 'expected the id of an export').describe('As `export-1f0c9a3b2d4e`.'),
});

export const exportRoutes: Route[] = [
  route({
    id: 'createExport',
    method: 'POST',
    path: '/v1/exports',
    role: 'runner',
    summary:
      'Brings what begins with a prefix from the derived bucket to a folder of a shared drive. What is there unchanged stays; what is not ours is left alone.',
    body: z.strictObject(ExportRequest.shape),
    answer: ExportSummary,
    status: 202,
    async handle({ body, caller, key }, { config: { studyFolder }, drive, records, publish, now }) {
      try {
        await checkTarget(body.folder, { drive: await drive(), studyFolder });
      } catch (error) {
        if (!(error instanceof ExportRefused)) throw error;
        throw new Refused(422, error.message, { errors: [{ path: 'body.folder', message: error.message }] });
      }
      const by = caller.person;
      return summaryOf(await requestExport(body, { by, key }, { records, publish }, new Date(now())));
    },
  }),

  route({
    id: 'listExports',
    method: 'GET',
    path: '/v1/exports',
    role: 'reader',
    summary: 'Exports, the newest first. Of one that is not over, only whole pages of objects are counted.',
    query: z.strictObject(Paging),
    answer: pageOfRecords(ExportSummary),
    async handle({ query, log }, { records }) {
      const { exports, unreadable } = await listExports(records);
      for (const one of unreadable) log.error('an export cannot be read', one);
      // The order of the pages is that of their keys, upwards.
      const keyOf = ({ requestedAt, id }: ExportSummary) =>
        `${String(9e15 - Date.parse(requestedAt)).padStart(16, '0')} ${id}`;
      return { ...cutPage(exports, query, keyOf), unreadable };
    },
  }),

  route({
    id: 'getExport',
    method: 'GET',
    path: '/v1/exports/{id}',
    role: 'reader',
    summary: 'How far an export is, and what is not in the folder under its own name, and why.',
    parameters,
    answer: ExportReport,
    async handle({ path: { id } }, { records }) {
      const run = await readExportRun(records, id);
      if (!run) throw new Refused(404, `There is no export ${id}.`);
      return reportOf(records, run);
    },
  }),

  route({
    id: 'cancelExport',
    method: 'POST',
    path: '/v1/exports/{id}/cancel',
    role: 'runner',
    summary:
      'Ends an export. What is in the folder by then stays, and is told; small files that are being sent at this moment may still come. One that has ended otherwise is refused.',
    parameters,
    answer: ExportReport,
    async handle({ path: { id }, caller }, { records, now }) {
      const run = await cancelExport(records, id, caller.person, new Date(now()));
      if (!run) throw new Refused(404, `There is no export ${id}.`);
      // Said once more, it has been done already.
      if (run.state !== 'cancelled')
        throw new Refused(409, `${id} is over (${run.state}): there is nothing to cancel.`);
      return reportOf(records, run);
    },
  }),
];
