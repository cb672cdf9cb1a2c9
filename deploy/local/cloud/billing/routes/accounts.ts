import express, { type Router } from 'express';
import { GoogleError } from '../../googleError.ts';
import { accountName, currency } from '../account.ts';
import type { Parts } from '../parts.ts';
import { billingInfo } from './projects.ts';

const account = {
  name: accountName,
  open: true,
  displayName: 'Gazeline local',
  masterBillingAccount: '',
  currencyCode: currency,
};

/** billingAccounts: get, list, and their projects. */
export function accountRoutes(parts: Parts): Router {
  return express
    .Router()
    .get('/v1/billingAccounts', (_request, response) => {
      response.locals.detail = { op: 'billingAccounts.list' };
      response.json({ billingAccounts: [account] });
    })
    .get('/v1/billingAccounts/:account', ({ params }, response) => {
      response.locals.detail = { op: 'billingAccounts.get' };
      checkAccount(params.account);
      response.json(account);
    })
    .get('/v1/billingAccounts/:account/projects', ({ params }, response) => {
      response.locals.detail = { op: 'billingAccounts.projects.list' };
      checkAccount(params.account);
      const info = billingInfo(parts, parts.context.project);
      response.json({ projectBillingInfo: info.billingAccountName === accountName ? [info] : [] });
    });
}

/** Google does not say of others' accounts whether they are there. @throws 403 */
export function checkAccount(id: string | undefined): void {
  if (`billingAccounts/${id}` !== accountName)
    throw new GoogleError(403, 'forbidden', 'The caller does not have permission');
}
