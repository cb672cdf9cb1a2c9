import { functions } from '../../../../functions/index.ts';

export const names = Object.entries(functions);
const project = 'projects/my-lab-gaze';
/** What gcloud says of a lab in which everything is well. */
export const well = () => ({
  'functions list': names.map(([name]) => ({
    name: `${project}/locations/europe-west4/functions/${name}`,
    state: 'ACTIVE',
  })),
  'run services get-iam-policy': { bindings: [{ role: 'roles/run.invoker', members: ['allUsers'] }] },
  'scheduler jobs list': names.flatMap(([name, { trigger }]) =>
    trigger.kind === 'clock'
      ? [{ name: `${project}/locations/europe-west4/jobs/${name}`, state: 'ENABLED' }]
      : [],
  ),
  'pubsub subscriptions list': names.flatMap(([name, { trigger }]) =>
    trigger.kind === 'http'
      ? []
      : [
          {
            name: `${project}/subscriptions/${name}`,
            pushConfig: { pushEndpoint: `https://${name}.example` },
          },
        ],
  ),
});
export const state = (more: Record<string, string> = {}) => ({
  'my-lab-gaze-gazeline-state': {
    'drive/feed.json': JSON.stringify({
      pageToken: '7',
      drainedAt: new Date(Date.now() - 180_000).toISOString(),
    }),
    'drive/channels.json': JSON.stringify([{ expiration: new Date(Date.now() + 86_400_000).toISOString() }]),
    ...more,
  },
});

export const wholeLab = () => ({ answers: well(), objects: state() });
