import { randomUUID } from 'node:crypto';
import express, { type Router } from 'express';
import { GoogleError } from '../../googleError.ts';
import { jsonBody } from '../../jsonBody.ts';
import { accountName } from '../account.ts';
import { type Budget, type BudgetRequest, makeBudget, readBudget, shown } from '../budget.ts';
import type { Parts } from '../parts.ts';
import { checkAccount } from './accounts.ts';

const path = '/v1/billingAccounts/:account/budgets';
const mebibyte = 1024 ** 2;

/** billingAccounts.budgets: create, get, list, patch, delete. */
export function budgetRoutes({ tables, notifier }: Parts): Router {
  const find = (params: { account?: string; budget?: string }): Budget => {
    checkAccount(params.account);
    const budget = tables.budgets.get(`${accountName}/budgets/${params.budget}`);
    if (!budget) throw new GoogleError(404, 'notFound', 'Requested entity was not found.');
    return budget;
  };
  const save = (budget: Budget): object => {
    tables.budgets.put(budget);
    notifier.changed();
    return shown(budget);
  };

  return express
    .Router()
    .use('/v1/billingAccounts', jsonBody(mebibyte))
    .post(path, (request, response) => {
      response.locals.detail = { op: 'budgets.create', body: request.body };
      checkAccount(request.params.account);
      const budget = makeBudget(
        `${accountName}/budgets/${randomUUID()}`,
        readBudget(request.body),
        newEtag(),
      );
      response.json(save(notifier.scheduled(budget)));
    })
    .get(path, ({ params, query }, response) => {
      response.locals.detail = { op: 'budgets.list' };
      checkAccount(params.account);
      const size = Math.min(Number(query.pageSize) || 100, 1000);
      const after = Buffer.from(String(query.pageToken ?? ''), 'base64url').toString();
      const { scope } = query;
      const left = tables.budgets.all().filter(({ name, budgetFilter }) => {
        const projects = budgetFilter?.projects ?? [];
        return name > after && (typeof scope !== 'string' || projects.includes(scope));
      });
      const last = left.length > size ? left[size - 1] : undefined;
      response.json({
        budgets: left.slice(0, size).map(shown),
        ...(last ? { nextPageToken: Buffer.from(last.name).toString('base64url') } : {}),
      });
    })
    .get(`${path}/:budget`, ({ params }, response) => {
      response.locals.detail = { op: 'budgets.get' };
      response.json(shown(find(params)));
    })
    .patch(`${path}/:budget`, ({ params, query, body }, response) => {
      response.locals.detail = { op: 'budgets.patch', body };
      const old = find(params);
      const { name: _, etag, ...given } = readBudget(body);
      if (etag && etag !== old.etag)
        throw new GoogleError(409, 'aborted', 'The budget was changed meanwhile: its etag is another.');
      const budget = { ...makeBudget(old.name, masked(old, given, query.updateMask), newEtag()) };
      const hasMoved = budget.notificationsRule?.pubsubTopic !== old.notificationsRule?.pubsubTopic;
      const { nextAt } = old;
      const kept = nextAt === undefined ? budget : { ...budget, nextAt };
      response.json(save(hasMoved ? notifier.scheduled(budget) : kept));
    })
    .delete(`${path}/:budget`, ({ params }, response) => {
      response.locals.detail = { op: 'budgets.delete' };
      tables.budgets.remove(find(params).name);
      response.json({});
    });
}

const newEtag = () => randomUUID().slice(0, 16);

/**
 * Without a mask, or with one that is `*`, all fields with a value replace those before. A mask may go into a field
 * (`budgetFilter.projects`): it is then replaced whole.
 */
function masked({ nextAt: _, etag: __, ...old }: Budget, given: BudgetRequest, mask: unknown): BudgetRequest {
  if (typeof mask !== 'string' || mask === '' || mask === '*') return { ...old, ...given };
  const fields = mask
    .split(',')
    .map((one) => one.split('.')[0]?.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  const kept = Object.entries(old).filter(([field]) => !fields.includes(field));
  const taken = Object.entries(given).filter(([field]) => fields.includes(field));
  return Object.fromEntries([...kept, ...taken]);
}
