import { annotationFolder } from '../annotation/annotation.ts';
import { decodeName } from '../drive/objectName.ts';

/**
 * Where an object goes: names from the folder down. What the prefix has up to its last `/` is left out. Annotations are
 * called after the objects of the raw bucket, whose names stand for names in Drive: they get those back. Of two files
 * with one path, the `~` and the id stay, or their annotations would have one path as well.
 */
export function exportPath(prefix: string, name: string): string[] {
  const kept = name.slice(prefix.lastIndexOf('/') + 1);
  const decode = name.startsWith(annotationFolder) ? decodeName : (part: string) => part;
  // Drive calls a file without a name `Untitled`.
  return kept.split('/').map((part) => decode(part) || (part === '' ? '%empty' : part));
}

/** Objects that programs make to stand for a folder. https://cloud.google.com/storage/docs/objects#simulated-folders */
export const standsForFolder = (name: string) => name.endsWith('/');
