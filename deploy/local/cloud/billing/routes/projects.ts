import express, { type Router } from 'express';
import * as z from 'zod';
import { GoogleError } from '../../googleError.ts';
import { accountName } from '../account.ts';
import type { Parts } from '../parts.ts';

const path = '/v1/projects/:project/billingInfo';

const ProjectBillingInfo = z.strictObject({
  name: z.string().optional(),
  projectId: z.string().optional(),
  billingAccountName: z.string().optional(),
  billingEnabled: z.boolean().optional(),
});

/**
 * projects.getBillingInfo and updateBillingInfo. The body is kept as it was sent, so that a test can look at it: Google's
 * sample for capping costs sends an empty one, by a field that the client drops, and stops nothing with it.
 * https://github.com/GoogleCloudPlatform/nodejs-docs-samples/blob/main/functions/billing/index.js
 */
export function projectRoutes(parts: Parts): Router {
  const { context, tables } = parts;
  return express
    .Router()
    .get(path, ({ params }, response) => {
      response.locals.detail = { op: 'projects.getBillingInfo' };
      response.json(billingInfo(parts, checked(params.project)));
    })
    .put(path, express.text({ type: () => true, limit: '100kb' }), ({ params, body }, response) => {
      const text = typeof body === 'string' ? body : '';
      response.locals.detail = { op: 'projects.updateBillingInfo', body: text };
      const project = checked(params.project);
      const { billingAccountName } = readInfo(text);
      // Not said, nothing is changed.
      if (billingAccountName === '' || billingAccountName === accountName)
        tables.projects.setAccount(project, billingAccountName);
      else if (billingAccountName !== undefined)
        throw new GoogleError(403, 'forbidden', 'The caller does not have permission');
      response.json(billingInfo(parts, project));
    });

  /** Google does not say of others' projects whether they are there. @throws 403 */
  function checked(project: string | undefined): string {
    if (project === context.project) return project;
    throw new GoogleError(403, 'forbidden', 'The caller does not have permission');
  }
}

function readInfo(text: string): z.infer<typeof ProjectBillingInfo> {
  // Node's generated client sends `""` where there is nothing to say.
  if (text.trim() === '' || text.trim() === '""') return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new GoogleError(400, 'parseError', 'Invalid JSON payload received.');
  }
  const info = ProjectBillingInfo.safeParse(json);
  if (!info.success) throw new GoogleError(400, 'badRequest', z.prettifyError(info.error));
  return info.data;
}

export function billingInfo({ tables }: Pick<Parts, 'tables'>, project: string) {
  const billingAccountName = tables.projects.account(project) ?? accountName;
  return {
    name: `projects/${project}/billingInfo`,
    projectId: project,
    billingAccountName,
    billingEnabled: billingAccountName !== '',
  };
}
