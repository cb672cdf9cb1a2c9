import { invalid } from './errors.ts';

const project = /^projects\/[a-z0-9][a-z0-9.:-]{0,62}$/;
const resource = /^(projects\/[^/]+)\/(topics|subscriptions)\/(?!goog)[A-Za-z][\w.~+%-]{2,254}$/;

/** The name of a topic that was deleted before its subscriptions. */
export const deletedTopic = '_deleted-topic_';

/** @throws 400 for a name that no resource can have. https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names */
export function checkName(kind: 'topics' | 'subscriptions', name: unknown): string {
  const match = typeof name === 'string' ? resource.exec(name) : undefined;
  if (!match || match[2] !== kind || !project.test(match[1] ?? ''))
    throw invalid(`Invalid [${kind}] name: (name=${name})`);
  return name as string;
}

export function checkProject(name: unknown): string {
  if (typeof name !== 'string' || !project.test(name)) throw invalid(`Invalid project name: (name=${name})`);
  return name;
}
