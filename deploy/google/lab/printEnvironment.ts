import { complete, readAnswers } from './answers.ts';

/** What `npx gazeline` has to know to look at this lab, as a shell reads it. */
export async function printEnvironment(): Promise<number> {
  const { project, study_folder, shared_drive, lab, buckets = {} } = complete(await readAnswers());
  const bucket = (kind: string) => buckets[kind] ?? `${project}-gazeline-${kind}`;
  const variables = {
    GAZELINE_PROJECT: project,
    GAZELINE_STUDY_FOLDER: study_folder,
    GAZELINE_SHARED_DRIVE: shared_drive,
    GAZELINE_LAB: lab,
    GAZELINE_RAW_BUCKET: bucket('raw'),
    GAZELINE_DERIVED_BUCKET: bucket('derived'),
    GAZELINE_STATE_BUCKET: bucket('state'),
  };
  for (const [name, value] of Object.entries(variables))
    if (value) console.log(`export ${name}='${value.replaceAll("'", `'\\''`)}'`);
  return 0;
}
