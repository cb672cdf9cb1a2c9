import { accessRecordName } from '../../../shared/api/access.ts';
import { clients } from '../../../shared/clients.ts';
import { config } from '../../../shared/config.ts';
import { recordsIn } from '../../../shared/storage/records.ts';
import { userName } from '../../../shared/userName.ts';
import type { Cloud } from '../cloud/cloud.ts';

/** Who runs a lab on their own computer may do everything there, by the key file of the lab. Said once: it can be changed. */
export async function letIn({ project }: Cloud): Promise<void> {
  const records = recordsIn(await clients.storage(), config().stateBucket);
  const account = `gazeline@${project}.iam.gserviceaccount.com`;
  const members = { [account]: { role: 'admin', person: userName() } };
  await records.write(accessRecordName, { members }, '0');
}
