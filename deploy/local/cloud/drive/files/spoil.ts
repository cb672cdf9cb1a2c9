import type { Request } from 'express';
import { type Faults, pathOf } from '../../faults.ts';
import type { Range } from './get.ts';

const what = (request: Request) => ({ method: request.method, path: pathOf(request) });

/** The range that is given instead of the one that was asked for; `undefined` gives the whole file. */
export function spoilRange(faults: Faults, request: Request, range: Range, size: number): Range | undefined {
  const fault = faults.strike('drive', ['ignoreRange', 'wrongRange'], what(request));
  if (!fault) return range;
  if (fault.kind === 'ignoreRange') return undefined;
  const { start, end } = range;
  if (start > 0) return { start: start - 1, end: end - 1 };
  return end < size - 1 ? { start: 1, end: end + 1 } : { start: Math.min(1, end), end };
}

/** How many of the bytes are given, and what to send them through first. */
export function spoilBytes(faults: Faults, request: Request, length: number): Spoilt {
  const fault = faults.strike('drive', ['flipByte', 'truncate'], what(request));
  const half = Math.floor(length / 2);
  if (fault?.kind === 'truncate') return { length: half };
  return fault ? { length, spoil: (bytes) => flip(bytes, half) } : { length };
}
type Spoilt = { length: number; spoil?: (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer> };

async function* flip(bytes: AsyncIterable<Buffer>, offset: number) {
  let passed = 0;
  for await (const chunk of bytes) {
    const at = offset - passed;
    passed += chunk.length;
    // Not in place: the bytes may be kept, and given again.
    yield at >= 0 && at < chunk.length
      ? Buffer.concat([chunk.subarray(0, at), Buffer.of(chunk.readUInt8(at) ^ 1), chunk.subarray(at + 1)])
      : chunk;
  }
}
