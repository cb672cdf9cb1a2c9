import { log, note, outro } from '@clack/prompts';
import { functions } from '../../../functions/index.ts';
import { activeAccount } from './account.ts';
import { complete, readAnswers } from './answers.ts';
import { agrees } from './ask.ts';
import { gcloud, gcloudJson } from './gcloud.ts';
import { checkTools } from './tools.ts';

type DeadLetter = {
  ackId: string;
  message: { data?: string; attributes?: Record<string, string>; orderingKey?: string };
};

/** https://cloud.google.com/pubsub/docs/handling-failures#track_delivery_attempts */
const source = 'CloudPubSubDeadLetterSourceSubscription';

/** Gives deliveries that were given up another chance: each goes to its topic again, and only then is taken away. */
export async function replayDeadLetters({ yes = false }: { yes?: boolean }): Promise<number> {
  await checkTools();
  await activeAccount();
  const { project } = complete(await readAnswers());
  const where = ['pubsub', 'subscriptions', 'pull', 'dead-letters', '--limit=100', `--project=${project}`];
  const letters = ((await gcloudJson(...where)) ?? []) as DeadLetter[];
  if (letters.length === 0) {
    outro('There are no dead letters.');
    return 0;
  }
  const functionOf = ({ message }: DeadLetter) => message.attributes?.[source] ?? 'unknown';
  const counts = new Map<string, number>();
  for (const letter of letters) counts.set(functionOf(letter), (counts.get(functionOf(letter)) ?? 0) + 1);
  note([...counts].map(([name, count]) => `${String(count).padStart(4)}  ${name}`).join('\n'), 'Given up');
  if (!(await agrees('Shall they be delivered again?', yes))) return 1;
  let sent = 0;
  for (const letter of letters) {
    const trigger = functions[functionOf(letter) as keyof typeof functions]?.trigger;
    if (!trigger || trigger.kind === 'http') {
      log.warn(`There is no function ${functionOf(letter)} any more: its message is left where it is.`);
      continue;
    }
    await publish(trigger.topic, letter.message, project);
    await gcloud(
      'pubsub',
      'subscriptions',
      'ack',
      'dead-letters',
      `--ack-ids=${letter.ackId}`,
      `--project=${project}`,
    );
    sent++;
  }
  outro(
    `${sent} of ${letters.length} are delivered again.${letters.length === 100 ? ' There may be more: run it again.' : ''}`,
  );
  return sent === letters.length ? 0 : 1;
}

async function publish(topic: string, message: DeadLetter['message'], project: string): Promise<void> {
  const { data = '', attributes = {}, orderingKey } = message;
  const own = Object.entries(attributes).filter(([name]) => !name.startsWith('CloudPubSubDeadLetter'));
  const text = Buffer.from(data, 'base64').toString();
  await gcloud(
    ...['pubsub', 'topics', 'publish', topic, `--project=${project}`],
    ...(text ? [`--message=${text}`] : []),
    // Values may hold commas: https://cloud.google.com/sdk/gcloud/reference/topic/escaping
    ...(own.length > 0 ? [`--attribute=^|^${own.map(([name, value]) => `${name}=${value}`).join('|')}`] : []),
    ...(orderingKey ? [`--ordering-key=${orderingKey}`] : []),
  );
}
