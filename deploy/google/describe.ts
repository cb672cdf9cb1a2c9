import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { functions, topics } from '../../functions/index.ts';
import { deadLetterTopic, retryPolicy, type Trigger, usualMemory } from '../../shared/trigger.ts';
import { environmentFor } from '../instance.ts';
import { permissions } from './permissions.ts';

/*
 * The map of functions as Terraform reads it (`terraform/functions.json`): what triggers each, how large it is, and what it
 * may do. `node deploy/google/describe.ts` writes it anew, and with `--check` only says whether it is as it should be; so
 * does a test.
 */

type Name = keyof typeof functions;

/** The most instances there may be of a function, and the most requests that one of them is given at a time. */
type Size = { instances: number; concurrency: number };

/** One at a time is enough for what a clock calls; a tick that comes twice meets itself in the same process. */
const usual: Size = { instances: 1, concurrency: 8 };
const sizes: Partial<Record<Name, Size>> = {
  'drive-webhook': { instances: 2, concurrency: 80 },
  // Two transfers at a time in an instance; the others wait there, holding little.
  'file-sync': { instances: 4, concurrency: 8 },
  'object-arrived': { instances: 4, concurrency: 40 },
  // Images that are asked for at the same time go together in one request.
  annotate: { instances: 4, concurrency: 8 },
  // Each waits for its machine, doing nothing.
  'job-start': { instances: 2, concurrency: 20 },
  'job-event': { instances: 2, concurrency: 20 },
  'session-start': { instances: 2, concurrency: 20 },
  // Two transfers at a time, as with `file-sync`.
  export: { instances: 2, concurrency: 8 },
  api: { instances: 2, concurrency: 40 },
};
const sizeOf = (name: Name): Size => sizes[name] ?? usual;

/**
 * Drive counts them all as one user, with 325,000 units a minute; the instances share what is a little below. Who only looks
 * after one file gets a small part, so that more is left for who reads the whole folder.
 * https://developers.google.com/workspace/drive/api/guides/limits
 */
const driveUnitsPerMinute = 300_000;
const ofDrive: Partial<Record<Name, number>> = {
  'drive-tick': 1,
  'drive-feed': 8,
  'drive-reconcile': 8,
  'file-sync': 8,
  export: 8,
  'notice-board': 1,
  api: 4,
};
const parts = (Object.entries(ofDrive) as [Name, number][]).reduce(
  (sum, [name, part]) => sum + part * sizeOf(name).instances,
  0,
);

/** Pub/Sub waits for an answer as long as the deadline says; there is no sense in working on. */
const timeoutOf = (trigger: Trigger) => (trigger.kind === 'http' ? trigger.timeout : trigger.ackDeadline);

export function describe() {
  const names = Object.keys(functions) as Name[];
  return {
    functions: Object.fromEntries(
      names.map((name) => {
        const trigger: Trigger = functions[name].trigger;
        const { memory = usualMemory } = trigger;
        const { publishes = [], ...grants } = permissions[name];
        const sorted = Object.entries(grants).map(([on, list]) => [on, [...new Set(list)].sort()]);
        return [
          name,
          {
            trigger: {
              ...{ kind: trigger.kind, access: null, topic: null, ordered: false, ackDeadline: null },
              ...{ bucket: null, schedule: null },
              ...triggerOf(trigger),
            },
            ...{ memory: `${memory}Mi`, timeout: timeoutOf(trigger), ...sizeOf(name) },
            environment: {
              ...environmentFor(memory),
              ...driveShareOf(name),
            },
            publishes,
            grants: Object.fromEntries(sorted),
          },
        ];
      }),
    ),
    /** That functions publish to and none reads. */
    topics,
    deadLetterTopic,
    retry: retryPolicy,
  };
}

/** Without what is said elsewhere. */
const triggerOf = ({ memory: _, timeout: __, ...rest }: Trigger & { timeout?: number }) => rest;

function driveShareOf(name: Name): { GAZELINE_DRIVE_UNITS_PER_MINUTE?: string } {
  const { [name]: part } = ofDrive;
  if (part === undefined) return {};
  return { GAZELINE_DRIVE_UNITS_PER_MINUTE: String(Math.floor((driveUnitsPerMinute * part) / parts)) };
}

export const descriptionFile = fileURLToPath(new URL('./terraform/functions.json', import.meta.url));
export const written = () => `${JSON.stringify(describe(), undefined, 2)}\n`;

if (import.meta.main) {
  if (!process.argv.includes('--check')) writeFileSync(descriptionFile, written());
  else if (readFileSync(descriptionFile, 'utf8') !== written()) {
    console.error('functions.json is not what the map of functions says: node deploy/google/describe.ts');
    process.exit(1);
  }
}
