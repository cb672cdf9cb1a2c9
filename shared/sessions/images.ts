import type { notebooks_v2 } from 'googleapis/build/src/apis/notebooks/v2.js';

type Image = Pick<notebooks_v2.Schema$GceSetup, 'vmImage' | 'containerImage'>;

const container = (name: string): Image => ({
  containerImage: {
    repository: `us-docker.pkg.dev/deeplearning-platform-release/gcr.io/${name}`,
    tag: 'latest',
  },
});

/**
 * What a session may run. Families of Deep Learning VMs are none: Workbench takes its own images and what is derived from
 * them. https://cloud.google.com/vertex-ai/docs/workbench/instances/create-custom-container#base-containers
 */
const images = {
  workbench: { vmImage: { project: 'cloud-notebooks-managed', family: 'workbench-instances' } },
  container: container('workbench-container'),
  'container-slim': container('workbench-container-slim'),
} as const satisfies { [name: string]: Image };

export type ImageName = keyof typeof images;
export const imageNames = Object.keys(images) as [ImageName, ...ImageName[]];
export const imageNamed = (name: ImageName): Image => images[name];
