import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What the programs that stand in for gcloud and terraform find, and leave: a file, so that a run goes on where another one
 * was interrupted. Their answers have the form and the words of gcloud 528 and Terraform 1.11.
 */
export type World = {
  account: string;
  projects: { projectId: string; name: string; lifecycleState: string }[];
  owners: string[];
  /** Of the projects that are paid for. */
  billing: Record<string, string>;
  currency: string;
  isPublicForbidden: boolean;
  /** By bucket, the names in it and their contents. */
  objects: Record<string, Record<string, string>>;
  /** What has arrived, `bucket/name`, once drive-tick was published for the first time, the second time and so on. */
  arriving: string[][];
  /** Addresses in Terraform's state. */
  made: string[];
  /** Whether its buckets may be deleted with what is in them. */
  isDataLoose: boolean;
  /** Of the next applies, what goes wrong after half of it, in turn; null for nothing. */
  applyErrors: ({ summary: string; detail?: string } | null)[];
  /** Milliseconds that an apply takes for each thing. */
  pace: number;
  /** More answers of gcloud, by the beginning of the command. */
  answers: Record<string, unknown>;
};

const folder = process.env.STAND_IN_WORLD ?? '';

export const readWorld = (from = folder): World => JSON.parse(readFileSync(join(from, 'world.json'), 'utf8'));
export const writeWorld = (world: World, to = folder) =>
  writeFileSync(join(to, 'world.json'), JSON.stringify(world, undefined, 2));

export function recordAsked(program: string, args: string[]): void {
  appendFileSync(join(folder, 'asked.log'), `${JSON.stringify([program, ...args])}\n`);
}

/** All that was asked, each as it would be typed, but without quotes. */
export const asked = (from: string): string[] => askedArguments(from).map((args) => args.join(' '));

export const askedArguments = (from: string): string[][] =>
  readFileSync(join(from, 'asked.log'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
