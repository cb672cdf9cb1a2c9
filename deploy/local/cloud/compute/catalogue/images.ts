export type Image = { project: string; family: string; name: string; diskSizeGb: number; created: string };

const image = (
  project: string,
  family: string,
  version: string,
  diskSizeGb: number,
  created: string,
): Image => ({
  project,
  family,
  name: `${family}-${version}`,
  diskSizeGb,
  created,
});
const deepLearning = 'deeplearning-platform-release';

/** None of them is really there: whatever its image, a local machine has what this computer has. */
export const images: Image[] = [
  image(
    deepLearning,
    'common-cu128-ubuntu-2204-nvidia-570',
    'v20260801',
    50,
    '2026-08-01T08:00:00.000-07:00',
  ),
  image(
    deepLearning,
    'common-cu129-ubuntu-2204-nvidia-580',
    'v20261101',
    50,
    '2026-11-01T08:00:00.000-07:00',
  ),
  image(
    deepLearning,
    'common-cu129-ubuntu-2404-nvidia-580',
    'v20261101',
    50,
    '2026-11-01T08:00:00.000-07:00',
  ),
  // https://cloud.google.com/vertex-ai/docs/workbench/instances/create-specific-version
  image('cloud-notebooks-managed', 'workbench-instances', 'v20261105', 150, '2026-11-05T08:00:00.000-07:00'),
  {
    ...image('debian-cloud', 'debian-12', '', 10, '2026-11-10T08:00:00.000-07:00'),
    name: 'debian-12-bookworm-v20261110',
  },
  {
    ...image('debian-cloud', 'debian-13', '', 10, '2026-11-10T08:00:00.000-07:00'),
    name: 'debian-13-trixie-v20261110',
  },
  {
    ...image('ubuntu-os-cloud', 'ubuntu-2404-lts-amd64', '', 10, '2026-11-12T08:00:00.000-07:00'),
    name: 'ubuntu-2404-noble-amd64-v20261112',
  },
];

/** What `sourceImage` names: `projects/P/global/images/NAME` or `projects/P/global/images/family/FAMILY`, also as a URL. */
export function imageAt(source: string): Image | undefined {
  const [, project, family, name] =
    /projects\/([^/]+)\/global\/images\/(?:family\/([^/]+)|([^/]+))$/.exec(source) ?? [];
  return images.find(
    (one) => one.project === project && (family === undefined ? one.name === name : one.family === family),
  );
}
