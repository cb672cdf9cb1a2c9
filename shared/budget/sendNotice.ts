import type { Log } from '../log.ts';
import type { IdleNotice } from '../machines/idle/idleNotice.ts';
import type { Publish } from '../publish.ts';
import type { Notice } from './notice.ts';

export const noticesTopic = 'guard-notices';

export type NoticeDependencies = {
  publish: Publish;
  /** Of a chat that takes Slack's form: `{ "text": … }`. */
  webhook: string | undefined;
  log: Log;
  /** Milliseconds that the webhook has. */
  patience?: number;
};

/**
 * Tells people. The topic has to have it; a webhook is asked once, for a chat that is down must not keep the guard from
 * what it does, and is not to be flooded when it comes back.
 * https://api.slack.com/messaging/webhooks
 */
export async function sendNotice(
  notice: Notice | IdleNotice,
  { publish, webhook, log, patience = 5000 }: NoticeDependencies,
): Promise<void> {
  const { kind, words } = notice;
  const about = 'level' in notice ? { level: notice.level, kind } : { kind };
  log.warning(words, { ...about, results: 'level' in notice ? notice.results : notice.machines });
  await publish(noticesTopic, [{ data: notice, attributes: about }]);
  if (!webhook) return;
  try {
    const answer = await fetch(webhook, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: escaped(words) }),
      redirect: 'error',
      signal: AbortSignal.timeout(patience),
    });
    await answer.body?.cancel();
    if (!answer.ok) log.error('the webhook does not take the notice', { status: answer.status });
  } catch (error) {
    // The address is a secret, and messages of errors may hold it.
    log.error('the webhook did not answer', { reason: (error as Error).name });
  }
}

/** https://api.slack.com/reference/surfaces/formatting#escaping */
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
