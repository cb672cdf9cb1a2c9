import * as z from 'zod';

/** An unset variable and an empty one are the same thing: deployment tools cannot always tell them apart. */
const unset = (value: unknown) => (value === '' ? undefined : value);
/** Digits only: `Number` would take a space for zero. */
const count = z
  .string()
  .regex(/^\d{1,9}$/, 'expected a whole number')
  .transform(Number);
const optional = <T extends z.ZodType>(schema: T) => z.preprocess(unset, schema.optional());
const bucket = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, 'expected a bucket name, without gs://');

/** Each field is the environment variable `GAZELINE_` + its name: `rawBucket` is `GAZELINE_RAW_BUCKET`. */
const Config = z.object({
  /** The Google Cloud project that everything lives in. Example: `my-lab-gaze`. */
  project: z.string().min(1),
  /** The Drive id of the study folder: the last part of its link. Example: `1AbC_dEfGhIjKlMnOp`. */
  studyFolder: z.string().regex(/^[\w-]{5,200}$/, 'expected the id at the end of the folder’s link'),
  /** The id of the shared drive that the study folder is in; unset when it is in somebody's My Drive. */
  sharedDrive: optional(z.string().regex(/^[\w-]{5,200}$/)),
  /** The exact mirror of the study folder. Only `file-sync` may write to it. */
  rawBucket: bucket,
  /** Everything computed: annotations, fixations, results of jobs. */
  derivedBucket: bucket,
  /** Gazeline's own records. */
  stateBucket: bucket,
  /** Where Drive reaches `drive-webhook`; unset where no public webhook is allowed, and polling carries the sync. */
  webhookUrl: optional(z.url()),
  /** Signs the tokens of push channels. Needed with `webhookUrl`. Example: `openssl rand -base64 32`. */
  channelSecret: optional(z.string().min(16, 'expected at least 16 characters')),
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
