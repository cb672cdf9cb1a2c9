import * as z from 'zod';
import { failureOf } from '../../machines/failure.ts';
import { Evidence } from '../../machines/idle/evidence.ts';
import { type IdleMachine, jobOf, whatOf } from '../../machines/idle/idleMachine.ts';
import { faultOfDay, keepMachine } from '../../machines/idle/keepMachine.ts';
import { managedBy } from '../../machines/idle/managedBy.ts';
import { protectionOf } from '../../machines/protection.ts';
import { cutPage, Paging, pageOf } from '../paging.ts';
import { Refused } from '../refused.ts';
import { type Route, route } from '../route.ts';
import type { Tools } from '../tools.ts';

const Machine = z.object({
  zone: z.string(),
  name: z.string(),
  id: z.string(),
  status: z.string().describe('In the words of Compute Engine: RUNNING, TERMINATED, …'),
  machineType: z.string(),
  createdAt: z.string(),
  startedAt: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  perHour: z.number().nullable().describe('US dollars by list price while it runs; null if it is not known.'),
  upSeconds: z.number().optional(),
  decision: z
    .object({
      do: z.enum(['keep', 'warn', 'stop']),
      reason: z.string(),
      why: z.string(),
      since: z.string(),
      isRehearsal: z.boolean().optional(),
      stopAt: z.string().optional(),
      outcome: z.object({ at: z.string(), what: z.string(), words: z.string().optional() }).optional(),
      evidence: Evidence,
    })
    .nullable()
    .describe('Whether it is idle, and what becomes of it; null if it was not looked at yet.'),
});

const parameters = z.strictObject({
  zone: z.string().regex(/^[a-z]+-[a-z]+\d{1,2}-[a-z]$/, 'expected a zone, as europe-west4-a'),
  name: z.string().regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, 'expected the name of a machine'),
});

export const machineRoutes: Route[] = [
  route({
    id: 'listMachines',
    method: 'GET',
    path: '/v1/machines',
    role: 'reader',
    summary: 'All machines of the project, what each costs, and whether it is idle.',
    query: z.strictObject(Paging),
    answer: pageOf(Machine).extend({
      unseen: z.array(z.string()).describe('Zones that did not answer: what is there is not known.'),
    }),
    async handle({ query, log }, { vms, records, now }) {
      const { machineRows, machineSummary } = await import('../../machines/idle/machineRows.ts');
      const { rows, unseen, unreadable } = await machineRows(await vms(), records);
      for (const reason of unreadable) log.error('what was decided of a machine cannot be read', { reason });
      const { items, ...rest } = cutPage(rows, query, ({ machine }) => whatOf(machine));
      return { items: items.map((row) => machineSummary(row, now())), ...rest, unseen };
    },
  }),

  route({
    id: 'keepMachine',
    method: 'POST',
    path: '/v1/machines/{zone}/{name}/keep',
    role: 'runner',
    summary: 'Protects a machine until the end of a day.',
    parameters,
    body: z.strictObject({ until: z.iso.date('expected a day, as 2026-12-24') }),
    answer: z.object({ zone: z.string(), name: z.string(), until: z.string() }),
    async handle({ path, body: { until } }, tools) {
      const fault = faultOfDay(until, tools.now());
      if (fault) throw new Refused(400, fault, { errors: [{ path: 'body.until', message: fault }] });
      await keepMachine(await tools.vms(), await need(path, tools), until);
      return { ...path, until };
    },
  }),

  route({
    id: 'stopMachine',
    method: 'POST',
    path: '/v1/machines/{zone}/{name}/stop',
    role: 'runner',
    summary: 'Stops a machine, and keeps its disks. That of a job ends with its job.',
    parameters,
    answer: z.object({
      zone: z.string(),
      name: z.string(),
      outcome: z.enum(['stopped', 'stopping']).describe('stopping: it was still shutting down.'),
    }),
    async handle({ path }, tools) {
      const machine = await need(path, tools);
      const job = jobOf(machine);
      if (job !== undefined) throw new Refused(409, `It works on the job ${job}: cancel that.`);
      const reason = protectionOf(machine, tools.now()) ?? managedBy(machine);
      if (reason) throw new Refused(409, `It is not stopped: ${reason}.`);
      const { stopped, failure } = await tools.stopMachine(machine);
      if (failure) throw new Refused(409, `It could not be stopped: ${failure.words}`);
      return { ...path, outcome: stopped ? ('stopped' as const) : ('stopping' as const) };
    },
  }),
];

async function need(path: { zone: string; name: string }, { vms }: Tools): Promise<IdleMachine> {
  const missing = () => new Refused(404, `There is no machine ${path.zone}/${path.name}.`);
  const machine = await (await vms()).look(path).catch((error: unknown) => {
    // A zone that there is not, for example.
    throw failureOf(error)?.kind === 'bad-request' ? missing() : error;
  });
  if (!machine) throw missing();
  return machine;
}
