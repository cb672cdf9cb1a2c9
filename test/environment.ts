import type { Cloud } from '../deploy/local/cloud/cloud.ts';

/** As on a deployed function, so that `shared/clients.ts` gives Google's clients for this cloud. */
export function useEnvironmentOf({
  origin,
  keyFile,
  project,
  studyFolder,
}: Pick<Cloud, 'origin' | 'keyFile' | 'project' | 'studyFolder'>): void {
  Object.assign(process.env, {
    GAZELINE_LOCAL_CLOUD: origin,
    GOOGLE_APPLICATION_CREDENTIALS: keyFile,
    GAZELINE_PROJECT: project,
    GAZELINE_STUDY_FOLDER: studyFolder,
    GAZELINE_RAW_BUCKET: 'raw',
    GAZELINE_DERIVED_BUCKET: 'derived',
    GAZELINE_STATE_BUCKET: 'state',
  });
}
