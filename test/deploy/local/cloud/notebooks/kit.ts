import { notebooks_v2 } from 'googleapis/build/src/apis/notebooks/v2.js';
import type { Cloud } from '../../../../../deploy/local/cloud/cloud.ts';
import { until } from '../compute/kit.ts';
import { call } from '../storage/raw.ts';

export const zone = 'europe-west4-a';

export const clientOf = ({ origin }: Cloud) =>
  new notebooks_v2.Notebooks({ rootUrl: `${origin}/`, retry: false }).projects.locations;

export const parentOf = ({ project }: Cloud, place = zone) => `projects/${project}/locations/${place}`;

export async function setNotebooks({ origin }: Cloud, settings: object): Promise<void> {
  const { status, body } = await call('POST', `${origin}/_local/notebooks/settings`, { json: settings });
  if (status !== 200) throw new Error(JSON.stringify(body));
}

/** Asks for an instance, and waits for its operation. */
export async function create(
  cloud: Cloud,
  instanceId: string,
  requestBody: notebooks_v2.Schema$Instance = {},
  place = zone,
) {
  const parent = parentOf(cloud, place);
  const { data } = await clientOf(cloud).instances.create({ parent, instanceId, requestBody });
  return done(cloud, data);
}

/** The operation, when it is done. */
export const done = (cloud: Cloud, { name = '' }: notebooks_v2.Schema$Operation) =>
  until(async () => {
    const { data } = await clientOf(cloud).operations.get({ name: name ?? '' });
    return data.done ? data : undefined;
  });
