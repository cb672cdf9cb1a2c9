import * as z from 'zod';
import { unknownZone } from '../../machines/failure.ts';
import { Evidence } from '../../machines/idle/evidence.ts';
import { type IdleMachine, jobOf, whatOf } from '../../machines/idle/idleMachine.ts';
import { faultOfDay, keepMachine } from '../../machines/idle/keepMachine.ts';
import { managedBy } from '../../machines/idle/managedBy.ts';
import { prolong } from '../../machines/idle/prolong.ts';
import { tpuRows, tpuSummary, whyNotOfTpu } from '../../machines/idle/tpuRows.ts';
import { protectionOf } from '../../machines/protection.ts';
import { cutPage, Paging, pageOf } from '../paging.ts';
import { Refused } from '../refused.ts';
import { type Route, route } from '../route.ts';
import type { Tools } from '../tools.ts';

const Machine = z.object({
  kind: z.enum(['vm', 'tpu']),
  zone: z.string(),
  name: z.string(),
  id: z.string().optional().describe('TPUs have none.'),
  status: z
    .string()
    .describe(
      'In the words of Compute Engine: RUNNING, TERMINATED, …; of a TPU in those of its service: READY, …',
    ),
  machineType: z.string().describe('Of a TPU, what it is: v5litepod-4.'),
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
      since: z.string().optional(),
      isRehearsal: z.boolean().optional(),
      stopAt: z.string().optional(),
      outcome: z.object({ at: z.string(), what: z.string(), words: z.string().optional() }).optional(),
      evidence: Evidence.optional().describe('Missing of TPUs: nothing is measured of a single one.'),
    })
    .nullable()
    .describe(
      'Whether it is idle, and what becomes of it; null if it was not looked at yet, or is a TPU of a job or does not run.',
    ),
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
    summary: 'All machines of the project, TPUs as well, what each costs, and whether it is idle.',
    query: z.strictObject(Paging),
    answer: pageOf(Machine).extend({
      unseen: z.array(z.string()).describe('Zones that did not answer: what is there is not known.'),
    }),
    async handle({ query, log }, tools) {
      const { records, now } = tools;
      const { machineRows, machineSummary } = await import('../../machines/idle/machineRows.ts');
      const [vms, tpus] = await Promise.all([
        tools.vms().then((vms) => machineRows(vms, records)),
        tools.tpus().then(tpuRows),
      ]);
      for (const reason of vms.unreadable)
        log.error('what was decided of a machine cannot be read', { reason });
      const at = now();
      const all = [
        ...vms.rows.map((row) => machineSummary(row, at)),
        ...tpus.tpus.map((tpu) => tpuSummary(tpu, at)),
      ];
      // A virtual machine and a TPU of one zone may be called the same.
      const page = cutPage(all, query, (one) => `${whatOf(one)} ${one.kind}`);
      return { ...page, unseen: [...vms.unseen, ...tpus.unseen] };
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
      await keepMachine(await tools.vms(), await need(path, tools, 'keep'), until);
      return { ...path, until };
    },
  }),

  route({
    id: 'prolongMachine',
    method: 'POST',
    path: '/v1/machines/{zone}/{name}/prolong',
    role: 'runner',
    summary: 'Puts off the end of a countdown: the machine is needed for so much longer.',
    parameters,
    body: z.strictObject({ minutes: z.int().min(5).max(720).default(60) }),
    answer: z.object({ zone: z.string(), name: z.string(), stopAt: z.string() }),
    async handle({ path, body: { minutes }, caller }, tools) {
      const { vms, records, now } = tools;
      const { id } = await need(path, tools, 'keep');
      const prolonged = await prolong(id, { by: caller.person, minutes }, { vms: await vms(), records, now });
      if (!prolonged) throw new Refused(409, 'It is not counted down: there is nothing to put off.');
      return { ...path, ...prolonged };
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
      const machine = await need(path, tools, 'stop');
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

/** @throws Refused if there is none, or if it is a TPU, with which no verb can do anything */
async function need(
  path: { zone: string; name: string },
  { vms, tpus }: Tools,
  wanted: 'stop' | 'keep',
): Promise<IdleMachine> {
  const machine = await (await vms()).look(path).catch((error: unknown) => {
    if (!unknownZone.test((error as Error).message)) throw error;
    return undefined;
  });
  if (machine) return machine;
  const seen = await tpuRows(await tpus());
  const tpu = seen.tpus.find(({ zone, name }) => zone === path.zone && name === path.name);
  if (tpu) throw new Refused(409, whyNotOfTpu(tpu, wanted));
  // Where the service was never switched on, there are none.
  const isUnknown = seen.unseen.length > 0 && !seen.wasSeen(path.zone);
  const unknown = isUnknown ? ' Whether it is a TPU is not known: their service did not answer.' : '';
  throw new Refused(404, `There is no machine ${path.zone}/${path.name}.${unknown}`);
}
