import { pour } from '../storage/pour.ts';
import { type RawObject, saveObject } from '../storage/rawObject.ts';
import { NotGiven, readExport, readWhole, WrongBytes } from './content.ts';
import { type DriveFile, getFile } from './driveFile.ts';
import type { Target } from './targets.ts';
import { type TransferDependencies, transfer } from './transfer.ts';

export type UploadDependencies = TransferDependencies & {
  /** Runs a transfer when there is memory for it. */
  inTurn: <T>(work: () => Promise<T>) => Promise<T>;
};

/**
 * Brings the bytes of a file to one object, by the way that its size and kind ask for.
 * @throws NotGiven if Drive will not give them, or never the right ones
 */
export async function upload(
  file: DriveFile,
  { exportTo, twin: _, ...object }: Target,
  replaces: string,
  dependencies: UploadDependencies,
): Promise<RawObject | 'conflict' | 'handed on'> {
  const { drive, raw, sliceSize, inTurn } = dependencies;
  if (exportTo) {
    return inTurn(async () => {
      const slices = (await readExport(drive, file, exportTo, sliceSize))[Symbol.asyncIterator]();
      const first = await slices.next();
      const second = first.done ? first : await slices.next();
      const bytes: Buffer = first.done ? Buffer.alloc(0) : first.value;
      if (second.done) return (await saveObject(raw, object, replaces, bytes)) ?? 'conflict';
      const all = async function* () {
        yield bytes;
        yield second.value;
        yield* { [Symbol.asyncIterator]: () => slices };
      };
      return (await pour(raw, object, replaces, all())) ?? 'conflict';
    });
  }
  const size = Number(file.size ?? 0);
  try {
    if (size <= sliceSize) {
      const bring = async () =>
        (await saveObject(raw, object, replaces, await readRightly(drive, file))) ?? 'conflict';
      // Many small files fit into the memory side by side.
      return await (size <= 1024 * 1024 ? bring() : inTurn(bring));
    }
    const transferred = await inTurn(() => transfer(file, object, replaces, dependencies));
    if (transferred.state === 'done') return transferred.object;
    return transferred.state === 'handed on' ? 'handed on' : 'conflict';
  } catch (error) {
    // Was the file changed meanwhile? The next plan sees to that. Else the bytes may be right next time.
    if (error instanceof WrongBytes && (await isChanged(drive, file))) return 'conflict';
    throw error;
  }
}

const mostReads = 3;

/** Reads a small file again when its bytes are wrong. @throws NotGiven when they are wrong each time */
async function readRightly(drive: UploadDependencies['drive'], file: DriveFile): Promise<Buffer> {
  for (let reads = 1; ; reads++) {
    try {
      return await readWhole(drive, file);
    } catch (error) {
      if (!(error instanceof WrongBytes) || (await isChanged(drive, file))) throw error;
      if (reads === mostReads)
        throw new NotGiven(`${error.message}, and that ${reads} times`, { cause: error });
    }
  }
}

async function isChanged(drive: UploadDependencies['drive'], file: DriveFile): Promise<boolean> {
  return (await getFile(drive, file.id))?.md5Checksum !== file.md5Checksum;
}
