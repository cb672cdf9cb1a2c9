import { functions } from '../../../functions/index.ts';
import { answersFile, type Complete } from './answers.ts';
import { pollingWords } from './checkOrganisation.ts';
import { checkProject } from './checkProject.ts';
import type { Finding } from './findings.ts';
import { gcloud, gcloudJson } from './gcloud.ts';
import { Failed } from './program.ts';
import { Stop } from './stop.ts';

type Examination = (answers: Complete, account: string) => Promise<Finding[]>;

/** From the outside in: what is broken further up explains what is below it. */
export const examinations: [string, Examination][] = [
  ['The project', project],
  ['Billing', billing],
  ['Functions', deployed],
  ['Who may call', callable],
  ['Clocks', clocks],
  ['Deliveries', deliveries],
  ['The study folder', drive],
  ['Problems', problems],
  ['The budget guard', guard],
];

async function project({ project }: Complete, account: string): Promise<Finding[]> {
  try {
    await checkProject(project, account);
    return [{ state: 'good', what: `The project ${project} is there` }];
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    // Whoever only looks needs less than whoever deploys.
    const gone = /There is no project|being deleted/.test(error.message);
    return [{ state: gone ? 'broken' : 'worrying', what: `The project ${project}`, words: error.message }];
  }
}

async function billing({ project, billing_account }: Complete): Promise<Finding[]> {
  const info = (await gcloudJson('billing', 'projects', 'describe', project)) as { billingEnabled?: boolean };
  const payer = billing_account || 'NUMBER';
  if (!info.billingEnabled)
    return [
      {
        state: 'broken',
        what: 'Nobody pays for the project',
        words: [
          'Google stops all of it. If the budget guard took it from its billing account: npx gazeline guard show. To pay again:',
          `  gcloud billing projects link ${project} --billing-account=${payer}`,
        ].join('\n'),
      },
    ];
  const budget: Finding = billing_account
    ? { state: 'good', what: 'The project is paid for, and has a budget' }
    : {
        state: 'worrying',
        what: 'The project is paid for, but has no budget',
        words: 'The guard goes by the lab’s own estimates alone. npm run deploy says who can allow a budget.',
      };
  return [budget];
}

async function deployed({ project, region }: Complete): Promise<Finding[]> {
  const listed = await listFunctions(project, region);
  const known = new Map(listed.map((one) => [one.name.split('/').at(-1), one]));
  const wanted = Object.keys(functions);
  if (!wanted.some((name) => known.has(name)))
    return [
      {
        state: 'broken',
        isEnd: true,
        what: `There is no lab in ${project}, ${region}`,
        words: `npm run deploy makes it. If it is somewhere else, say so in ${answersFile}.`,
      },
    ];
  const findings: Finding[] = [];
  for (const name of wanted) {
    const one = known.get(name);
    if (!one)
      findings.push({ state: 'broken', what: `${name} is not deployed`, words: 'Run npm run deploy.' });
    else if (one.state && one.state !== 'ACTIVE')
      findings.push({
        state: 'broken',
        what: `${name} is ${one.state}`,
        words: [...(one.stateMessages ?? []).map(({ message }) => message ?? ''), 'Run npm run deploy.'].join(
          '\n',
        ),
      });
  }
  const well = wanted.length - findings.length;
  return [
    ...(well > 0
      ? [{ state: 'good' as const, what: `${well} of ${wanted.length} functions are there` }]
      : []),
    ...findings,
  ];
}

type Deployed = { name: string; state?: string; stateMessages?: { message?: string }[] };

async function listFunctions(project: string, region: string): Promise<Deployed[]> {
  try {
    return ((await gcloudJson(
      ...['functions', 'list', '--v2', `--regions=${region}`, `--project=${project}`],
    )) ?? []) as Deployed[];
  } catch (error) {
    // Where no lab ever was, not even the service is switched on.
    if (error instanceof Failed && /has not been used in project|SERVICE_DISABLED/.test(error.output))
      return [];
    throw error;
  }
}

async function callable({ project, region, public_webhook }: Complete): Promise<Finding[]> {
  if (public_webhook === false)
    return [{ state: 'good', what: 'Drive is polled, on purpose', words: pollingWords }];
  const policy = (await gcloudJson(
    ...['run', 'services', 'get-iam-policy', 'drive-webhook', `--region=${region}`, `--project=${project}`],
  )) as { bindings?: { role: string; members: string[] }[] };
  const isPublic = policy.bindings?.some(
    ({ role, members }) => role === 'roles/run.invoker' && members.includes('allUsers'),
  );
  return isPublic
    ? [{ state: 'good', what: 'Drive may call drive-webhook' }]
    : [
        {
          state: 'worrying',
          what: 'Drive may not call drive-webhook',
          words:
            'Changes are seen every five minutes. npm run deploy allows it again, or says why it cannot be.',
        },
      ];
}

async function clocks({ project, region }: Complete): Promise<Finding[]> {
  const jobs = ((await gcloudJson(
    'scheduler',
    'jobs',
    'list',
    `--location=${region}`,
    `--project=${project}`,
  )) ?? []) as {
    name: string;
    state?: string;
  }[];
  const wanted = Object.entries(functions).flatMap(([name, { trigger }]) =>
    trigger.kind === 'clock' ? [name] : [],
  );
  const states = new Map(jobs.map(({ name, state }) => [name.split('/').at(-1), state]));
  const broken = wanted.filter((name) => states.get(name) !== 'ENABLED');
  if (broken.length === 0) return [{ state: 'good', what: `${wanted.length} clocks tick` }];
  return broken.map((name) => ({
    state: 'broken',
    what: `The clock ${name} ${states.has(name) ? `is ${states.get(name)}` : 'is missing'}`,
    words: states.has(name)
      ? `  gcloud scheduler jobs resume ${name} --location=${region} --project=${project}`
      : 'Run npm run deploy.',
  }));
}

async function deliveries({ project, buckets }: Complete): Promise<Finding[]> {
  const listed = ((await gcloudJson('pubsub', 'subscriptions', 'list', `--project=${project}`)) ?? []) as {
    name: string;
    pushConfig?: { pushEndpoint?: string };
    deadLetterPolicy?: object;
  }[];
  const known = new Map(listed.map((one) => [one.name.split('/').at(-1) ?? '', one]));
  const wanted = Object.entries(functions).flatMap(([name, { trigger }]) =>
    trigger.kind === 'http' ? [] : [name],
  );
  const broken = wanted.filter((name) => !known.get(name)?.pushConfig?.pushEndpoint);
  const findings: Finding[] = broken.map((name) => ({
    state: 'broken',
    what: `Nothing is delivered to ${name}`,
    words: 'Its subscription is missing or calls nobody. Run npm run deploy.',
  }));
  if (broken.length === 0) findings.push({ state: 'good', what: 'Every function has its deliveries' });
  const state = buckets?.state ?? `${project}-gazeline-state`;
  const dead = await objectsBelow(state, 'dead-letters/');
  if (dead.length > 0)
    findings.push({
      state: 'worrying',
      what: `${dead.length} deliveries were given up`,
      words: 'npx gazeline dead-letters list shows them. See “Dead letters” in docs/operations.md.',
    });
  return findings;
}

async function drive({ project, study_folder, public_webhook, buckets }: Complete): Promise<Finding[]> {
  const state = buckets?.state ?? `${project}-gazeline-state`;
  const feed = (await record(state, 'drive/feed.json')) as { drainedAt?: string } | undefined;
  const folder = `https://drive.google.com/drive/folders/${study_folder}`;
  if (!feed)
    return [
      {
        state: 'broken',
        what: 'The study folder has never been read',
        words: [
          'Most often it is not shared with the lab. The address to share it with:',
          '  terraform -chdir=deploy/google/terraform output -raw share_with',
          `  ${folder}`,
        ].join('\n'),
      },
    ];
  const minutes = (Date.now() - Date.parse(feed.drainedAt ?? '')) / 60_000;
  const findings: Finding[] = [
    minutes < 20
      ? { state: 'good', what: `The study folder was read ${Math.max(0, Math.round(minutes))} minutes ago` }
      : {
          state: 'broken',
          what: `The study folder was last read at ${feed.drainedAt}`,
          words: `Is it still shared? ${folder}\nWhat drive-feed says: gcloud functions logs read drive-feed --project=${project}`,
        },
  ];
  if (public_webhook !== false) {
    const channels = ((await record(state, 'drive/channels.json')) ?? []) as { expiration: string }[];
    const open = channels.some(({ expiration }) => Date.parse(expiration) > Date.now());
    findings.push(
      open
        ? { state: 'good', what: 'Drive tells the lab of changes' }
        : {
            state: 'worrying',
            what: 'Drive does not tell the lab of changes',
            words: `They are looked for every five minutes instead. Why: gcloud functions logs read drive-tick --project=${project}`,
          },
    );
  }
  return findings;
}

async function problems({ project, buckets }: Complete): Promise<Finding[]> {
  const state = buckets?.state ?? `${project}-gazeline-state`;
  const listed = await objectsBelow(state, 'problems/');
  if (listed.length === 0) return [{ state: 'good', what: 'Nothing was put aside' }];
  return [
    {
      state: 'worrying',
      what: `${listed.length} inputs were put aside, which can never work`,
      words: [
        ...listed.slice(0, 5).map(({ name }) => `  gcloud storage cat gs://${state}/${name}`),
        'Each says why.',
      ].join('\n'),
    },
  ];
}

async function guard({ project, buckets }: Complete): Promise<Finding[]> {
  const state = buckets?.state ?? `${project}-gazeline-state`;
  const { level } = ((await record(state, 'budget/guard.json')) ?? {}) as { level?: string };
  if (!level || level === 'open') return [{ state: 'good', what: 'The budget guard lets everything pass' }];
  return [
    {
      state: 'worrying',
      what: `The budget guard is at “${level}”`,
      words: 'Why, and how to go on: npx gazeline guard show',
    },
  ];
}

async function objectsBelow(bucket: string, folder: string): Promise<{ name: string }[]> {
  try {
    return ((await gcloudJson('storage', 'objects', 'list', `gs://${bucket}/${folder}**`)) ?? []) as {
      name: string;
    }[];
  } catch (error) {
    if (error instanceof Failed && isNotThere(error)) return [];
    throw error;
  }
}

const isNotThere = ({ output }: Failed) => /not found|No URLs matched|matched no objects|404/i.test(output);

/** One of Gazeline's own; undefined if there is none. */
async function record(bucket: string, name: string): Promise<unknown> {
  try {
    return JSON.parse(await gcloud('storage', 'cat', `gs://${bucket}/${name}`));
  } catch (error) {
    if (error instanceof Failed && isNotThere(error)) return undefined;
    throw error;
  }
}
