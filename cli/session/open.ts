import { clients } from '../../shared/clients.ts';
import { type Config, config } from '../../shared/config.ts';
import { type PriceTable, priceTable } from '../../shared/machines/priceTable.ts';
import { type Publish, publishTo } from '../../shared/publish.ts';
import { Refusal } from '../../shared/refusal.ts';
import { readSession, type SessionRecord } from '../../shared/sessions/sessionRecord.ts';
import { type Records, recordsIn } from '../../shared/storage/records.ts';

export type OpenSessions = { records: Records; publish: Publish; prices: PriceTable; config: Config };

export async function openSessions(): Promise<OpenSessions> {
  const { stateBucket, project } = config();
  const [storage, pubsub] = await Promise.all([clients.storage(), clients.pubsub()]);
  return {
    records: recordsIn(storage, stateBucket),
    publish: publishTo(pubsub, project),
    prices: priceTable(),
    config: config(),
  };
}

/** @throws Refusal if there is none */
export async function findSession(
  { records }: Pick<OpenSessions, 'records'>,
  name: string,
): Promise<SessionRecord> {
  const record = /^[a-z][-a-z0-9]{0,39}$/.test(name) ? await readSession(records, name) : undefined;
  return record ?? noSession(name);
}

export const noSession = (name: string): never => {
  throw new Refusal(`There is no session ${name.slice(0, 100)}. npx gazeline session list shows them.`);
};
