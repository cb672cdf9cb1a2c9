import { codeOf } from '../storage/codeOf.ts';
import { readObject } from '../storage/readObject.ts';
import { writeObject } from '../storage/writeObject.ts';
import type { SessionDependencies } from './dependencies.ts';
import { scriptName } from './instanceBody.ts';

/**
 * Sees to it that the post-startup script is where Workbench fetches it from at each start. The derived bucket may be
 * emptied at any time, and a newer Gazeline may have another script.
 */
export async function keepScript({
  derived,
  script,
}: Pick<SessionDependencies, 'derived' | 'script'>): Promise<void> {
  const file = derived.file(scriptName);
  const wanted = Buffer.from(await script());
  const there = await readObject(file);
  if (there?.bytes.equals(wanted)) return;
  try {
    await writeObject(file, wanted, there?.generation ?? '0', { contentType: 'text/x-shellscript' });
  } catch (error) {
    // Somebody was faster, with the same.
    if (codeOf(error) !== 412) throw error;
  }
}
