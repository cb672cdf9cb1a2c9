import * as z from 'zod';
import { Thresholds } from './budget/levels.ts';
import { periodKinds } from './budget/period.ts';
import { defaultExports, ExportPolicy } from './drive/exports.ts';

/** An unset variable and an empty one are the same thing: deployment tools cannot always tell them apart. */
const unset = (value: unknown) => (value === '' ? undefined : value);
/** Digits only: `Number` would take a space for zero. */
const count = z
  .string()
  .regex(/^\d{1,9}$/, 'expected a whole number')
  .transform(Number);
const optional = <T extends z.ZodType>(schema: T) => z.preprocess(unset, schema.optional());
const day = z.iso.date('expected a day like 2026-12-24');
const bucket = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, 'expected a bucket name, without gs://');

const amount = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,2})?$/, 'expected an amount like 250 or 99.50')
  .transform(Number)
  .refine((value) => value > 0, 'expected more than nothing');
/** Separated by commas or spaces. */
const words = z.preprocess(
  unset,
  z
    .string()
    .default('')
    .transform((text) => text.split(/[,\s]+/).filter(Boolean)),
);

/** `warned=0.5 stop-all=1.2`, as shares of the budget; those that are left out have their defaults. */
const thresholds = z.preprocess(
  unset,
  z
    .string()
    .regex(
      /^\s*([a-z-]+=\d{1,4}(\.\d{1,4})?[,\s]*)*$/,
      'expected level=share, separated by spaces, like warned=0.5 stop-all=1.1',
    )
    .default('')
    .transform((text) =>
      Object.fromEntries(
        [...text.matchAll(/([a-z-]+)=([\d.]+)/g)].map(([, level, share]) => [level, Number(share)]),
      ),
    )
    .pipe(Thresholds),
);

/** Separated by commas or new lines: globs may hold spaces. */
const globs = z.preprocess(
  unset,
  z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(/[,\n]/)
        .map((glob) => glob.trim())
        .filter(Boolean),
    ),
);

/** Each field is the environment variable `GAZELINE_` + its name: `rawBucket` is `GAZELINE_RAW_BUCKET`. */
const Config = z.object({
  /** The Google Cloud project that everything lives in. Example: `my-lab-gaze`. */
  project: z.string().min(1),
  /** The Drive id of the study folder: the last part of its link. Example: `1AbC_dEfGhIjKlMnOp`. */
  studyFolder: z.string().regex(/^[\w-]{5,200}$/, 'expected the id at the end of the folder’s link'),
  /** The id of the shared drive that the study folder is in; unset when it is in somebody's My Drive. */
  sharedDrive: optional(z.string().regex(/^[\w-]{5,200}$/)),
  /** The service account that the folder is shared with; unset if it is the function's own. */
  driveAccount: optional(z.email()),
  /** The exact mirror of the study folder. Only `file-sync` may write to it. */
  rawBucket: bucket,
  /** Everything computed: annotations, fixations, results of jobs. */
  derivedBucket: bucket,
  /** Gazeline's own records. */
  stateBucket: bucket,
  /** Where Drive reaches `drive-webhook`; unset where no public webhook is allowed, and polling carries the sync. */
  webhookUrl: optional(z.url()),
  /**
   * Where `api` is reached, as callers name it in their tokens: without a slash at its end. Several, separated by commas,
   * if it has several addresses.
   */
  apiUrl: words,
  /** How many requests a minute each instance of `api` answers to one caller. */
  apiRequestsPerMinute: z.preprocess(unset, count.refine((n) => n > 0, 'expected at least 1').default(600)),
  /** Signs the tokens of push channels. Needed with `webhookUrl`. Example: `openssl rand -base64 32`. */
  channelSecret: optional(z.string().min(16, 'expected at least 16 characters')),
  /** Only files whose path from the study folder down matches one of these globs are brought. Example: `recordings/**`. */
  include: globs,
  /** Files that are left alone: not brought, and, where they are in the bucket already, not removed. Example: `*.tmp`. */
  exclude: globs,
  /** The same by media type. Example: `video/*`. */
  excludeTypes: globs,
  /** Bytes; larger files are left alone. */
  maxSize: optional(
    z
      .string()
      .regex(/^\d{1,15}$/, 'expected a number of bytes')
      .transform(Number),
  ),
  /** What Google-native files become, by kind: `document=docx+txt spreadsheet=xlsx+csv`; a kind that is missing is skipped. */
  exports: z.preprocess(unset, ExportPolicy.default(ExportPolicy.parse(defaultExports))),
  /** How many files one drain or reconcile may remove; of more than that, a person is asked. */
  removalsPerRun: z.preprocess(unset, count.default(1000)),
  /** Seconds after which the transfer of a large file is handed to another invocation. Less than a function may run. */
  transferSeconds: z.preprocess(unset, count.default(400)),
  /** The name of this installation, on the labels of its machines: two of them may share a project. */
  lab: z.preprocess(
    unset,
    z
      .string()
      .regex(/^[a-z]([-a-z0-9]{0,40}[a-z0-9])?$/, 'expected lower-case letters, digits and -')
      .default('gazeline'),
  ),
  /** The service account of the machines, with as few rights as they need; without one no job is started. */
  machineAccount: optional(z.email()),
  /** The only regions where machines may be, separated by commas; unset for all. Example: `europe-west4`. */
  regions: optional(z.string().transform((text) => text.split(/[,\s]+/).filter(Boolean))),
  /** The network of the machines. Example: `global/networks/lab`. */
  network: optional(z.string()),
  /**
   * The ids of the budgets that count, separated by commas; the first is that of the whole project. What Google says of
   * any other is not believed. Example: `de72f49d-779b-4945-a127-4d6ce8def0bb`.
   */
  budgets: words,
  /** Of the budgets' billing account; unset if it need not be checked. Example: `012345-567890-ABCDEF`. */
  billingAccount: optional(
    z.string().regex(/^[0-9A-F]{6}(-[0-9A-F]{6}){2}$/, 'expected 012345-567890-ABCDEF'),
  ),
  /** What the lab may spend in a period, for as long as no notification of the first budget has said it. */
  budgetAmount: optional(amount),
  /** Of the budgets. */
  budgetCurrency: z.preprocess(
    unset,
    z
      .string()
      .regex(/^[A-Z]{3}$/, 'expected three capitals')
      .default('USD'),
  ),
  /** What a US dollar is in that currency: `0.92`. Without it, where that is not USD, spending is known only from the bill. */
  dollarRate: optional(
    z
      .string()
      .regex(/^\d{1,6}(\.\d{1,6})?$/, 'expected a number like 0.92')
      .transform(Number)
      .refine((value) => value > 0, 'expected more than nothing'),
  ),
  /** What the budgets count over: `month`, `quarter` or `year`. */
  budgetPeriod: z.preprocess(unset, z.enum(periodKinds).default('month')),
  /**
   * From which share of a budget on what happens: `warned=0.5 no-new-work=0.9 stop-idle=1 stop-all=1.1` if nothing else
   * is said. `detached=2` is the second of the two settings without which a project is never taken from its billing
   * account.
   */
  budgetThresholds: thresholds,
  /** The first of the two: `on`. https://cloud.google.com/billing/docs/how-to/modify-project#disable_billing_for_a_project */
  detachBilling: z.preprocess(unset, z.enum(['on', 'off']).default('off')),
  /** The only projects that may be taken from their billing account; this one has to be among them. */
  detachProjects: words,
  /**
   * US dollars by list price that all machines of the project together may cost an hour. No job or session starts one that
   * would be more, or whose price is not known; a job waits until something has ended.
   */
  mostPerHour: optional(amount),
  /** US dollars that the machines of one person's jobs and sessions may cost in a period of the budget. */
  mostPerPerson: optional(amount),
  /** How many machines the jobs and sessions of one person may have at once. */
  mostMachinesPerPerson: optional(count.refine((value) => value > 0, 'expected at least 1')),
  /** US dollars that are left of a free trial or of a credit: `300`. It is counted down from the day of the next setting. */
  creditLeft: optional(amount),
  /** The day (of US Pacific time) at whose beginning that was left. Example: `2026-11-26`. */
  creditLeftOn: optional(day),
  /** The last day of the trial or the credit. Example: `2027-02-23`. */
  creditEnds: optional(day),
  /** Where the budget guard tells what it does, in Slack's form. Example: `https://hooks.slack.com/services/…`. */
  noticeWebhook: optional(z.url({ protocol: /^https?$/ })),
  /** `off`: what guard and idle stop do is not told in a file of the study folder, `Gazeline notices.md`. */
  noticeFile: z.preprocess(unset, z.enum(['on', 'off']).default('on')),
  /** `yes`: a machine that has to be stopped loses what is on its Local SSDs. With `no`, some cannot be stopped. */
  discardLocalSsd: z.preprocess(unset, z.enum(['yes', 'no']).default('no')),
  /** `on`: machines of the project that nobody uses are stopped, after a warning; `dry-run` only says so; or `off`. */
  idleStop: z.preprocess(unset, z.enum(['on', 'dry-run', 'off']).default('on')),
  /** Minutes without a sign of life after which a machine is idle. What is measured is seen four minutes late. */
  idleAfter: z.preprocess(
    unset,
    count.refine((minutes) => minutes >= 10, 'expected at least 10 minutes').default(60),
  ),
  /** The same for a machine on which no agent runs: somebody who has just come back to it is seen late, if at all. */
  idleAfterWithoutAgent: z.preprocess(
    unset,
    count.refine((minutes) => minutes >= 10, 'expected at least 10 minutes').default(120),
  ),
  /** Minutes between the warning and the stop. */
  idleCountdown: z.preprocess(unset, count.default(15)),
  /** Minutes that a machine is left alone after it was started. */
  idleGrace: z.preprocess(unset, count.default(30)),
  /** Minutes after which an SSH session in which nothing was typed does not hold a machine any more. */
  idleHardLimit: z.preprocess(unset, count.default(4 * 60)),
  /** Days after which a machine that was stopped because it was idle is deleted, with its disks; unset for never. */
  idleDeleteAfter: optional(count.refine((days) => days > 0, 'expected at least one day')),
  /** How many paid Vision units (one feature of one image) a day may cost; above it, stimuli wait for the next day. */
  visionUnitsPerDay: z.preprocess(unset, count.default(1000)),
  /** How many paid Natural Language units (one feature of 1,000 characters) a day may cost. */
  languageUnitsPerDay: z.preprocess(unset, count.default(5000)),
  /**
   * How many of Drive's quota units ONE instance may spend in a minute. All instances are one user for Drive, with
   * 325,000 a minute (https://developers.google.com/workspace/drive/api/guides/limits): divide those by the most
   * instances that may run, and stay a little below.
   */
  driveUnitsPerMinute: z.preprocess(
    unset,
    count.refine((units) => units >= 200, 'expected at least 200, which is one download').default(300_000),
  ),
  /**
   * Milliseconds before a request to Drive is tried again: at most this at first, then twice as long each time, up to 32
   * times this. Less than a second is for tests: https://developers.google.com/workspace/drive/api/guides/limits#exponential
   */
  driveBackoff: z.preprocess(unset, count.default(1000)),
  /** `http://127.0.0.1:PORT` of a local cloud; every client then talks to it instead of to Google. */
  localCloud: optional(z.url()),
});
export type Config = z.infer<typeof Config>;

/** @throws an error that names every variable that is missing or wrong, and what was expected. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const fields = Object.keys(Config.shape).map((field) => [field, env[variableOf(field)]]);
  const config = Config.safeParse(Object.fromEntries(fields));
  if (config.success) return config.data;
  const issues = config.error.issues.map(({ path: [field], message }) => {
    const variable = variableOf(String(field));
    return env[variable] ? `${variable}: ${message}` : `${variable} is not set`;
  });
  throw new Error(`The configuration is not usable: ${issues.join('; ')}`);
}

const variableOf = (field: string) =>
  `GAZELINE_${field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

let read: Config | undefined;

/** Read and checked once, on first use, so that importing a function needs no environment. */
export function config(): Config {
  read ??= readConfig(process.env);
  return read;
}
