import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { Stop } from './stop.ts';

/** Where Terraform's files are; another one for tests. */
export const terraformFolder = process.env.GAZELINE_TERRAFORM ?? join(import.meta.dirname, '../terraform');
/** Terraform reads each file of such a name by itself. */
export const answersFile = join(terraformFolder, 'lab.auto.tfvars.json');

/** Variables of `deploy/google/terraform/variables.tf`. There is no secret among them. */
const Answers = z.strictObject({
  project: z.string().optional(),
  region: z.string().optional(),
  study_folder: z.string().optional(),
  shared_drive: z.string().optional(),
  lab: z.string().optional(),
  public_webhook: z.boolean().optional(),
  channel_secret_version: z.number().optional(),
  billing_account: z.string().optional(),
  budget: z.object({ amount: z.number(), currency: z.string() }).optional(),
  detach_billing: z.boolean().optional(),
  people: z.record(z.string(), z.string()).optional(),
  roles: z.record(z.string(), z.enum(['reader', 'runner', 'admin'])).optional(),
  notify: z.array(z.string()).optional(),
  settings: z.record(z.string(), z.string()).optional(),
  quota_caps: z
    .record(z.string(), z.object({ service: z.string(), quota_id: z.string(), value: z.number() }))
    .optional(),
  buckets: z.record(z.string(), z.string()).optional(),
  keep_derived_days: z.number().optional(),
  repository: z.string().optional(),
});
export type Answers = z.infer<typeof Answers>;
/** With what is always asked. */
export type Complete = Answers & Record<'project' | 'region' | 'study_folder', string>;

export async function readAnswers(): Promise<Answers> {
  let text: string;
  try {
    text = await readFile(answersFile, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    return Answers.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new Stop(`${answersFile} cannot be read:\n${reason}\nMend it, or delete it to be asked again.`);
  }
}

/** Whole or not at all, and after each answer: whoever is interrupted is not asked again. */
export async function rememberAnswers(answers: Answers): Promise<void> {
  const file = answersFile;
  await writeFile(`${file}.new`, `${JSON.stringify(answers, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
}

/** @throws Stop that says which are missing */
export function complete(answers: Answers): Complete {
  const missing = (['project', 'region', 'study_folder'] as const).filter((name) => !answers[name]);
  if (missing.length > 0)
    throw new Stop(
      [
        `Not answered yet: ${missing.join(', ')}.`,
        'A new lab: run npm run deploy in a terminal; it asks.',
        'A lab that was made on another computer: fetch its answers, with its project in place of PROJECT:',
        `  gcloud storage cp gs://PROJECT-gazeline-terraform/lab.auto.tfvars.json ${answersFile}`,
      ].join('\n'),
    );
  return answers as Complete;
}
