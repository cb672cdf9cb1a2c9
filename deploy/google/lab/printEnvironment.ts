import { complete, readAnswers } from './answers.ts';

/** What `npx gazeline` has to know to look at this lab, as a shell reads it. */
export async function printEnvironment(): Promise<number> {
  const answers = complete(await readAnswers());
  const { project, study_folder, shared_drive, lab, buckets = {}, settings = {} } = answers;
  const bucket = (kind: string) => buckets[kind] ?? `${project}-gazeline-${kind}`;
  // What is left out of the sync, and the limits of a person, hold for `npx gazeline` as well.
  const ours = Object.entries(settings).filter(
    // Whoever knows the webhook can write to people; no command needs it.
    ([name]) => /^GAZELINE_[A-Z0-9_]+$/.test(name) && name !== 'GAZELINE_NOTICE_WEBHOOK',
  );
  const variables = {
    GAZELINE_PROJECT: project,
    GAZELINE_STUDY_FOLDER: study_folder,
    GAZELINE_SHARED_DRIVE: shared_drive,
    GAZELINE_LAB: lab,
    GAZELINE_RAW_BUCKET: bucket('raw'),
    GAZELINE_DERIVED_BUCKET: bucket('derived'),
    GAZELINE_STATE_BUCKET: bucket('state'),
    ...Object.fromEntries(ours),
  };
  for (const [name, value] of Object.entries(variables))
    if (value) console.log(`export ${name}='${value.replaceAll("'", `'\\''`)}'`);
  return 0;
}
