import { createCRC32 } from 'hash-wasm';

/** One instance serves all: between two pieces it holds nothing, the few bytes of its state go with the value. */
const wasm = await createCRC32(0x82f63b78);

/** A CRC32C that more bytes can be added to. */
export type Crc32c = Uint8Array;
const ofNothing: Crc32c = wasm.init().save();

/** Continues a CRC32C over more bytes. In WebAssembly it is twice as fast as the best that JavaScript does. */
export function crc32c(bytes: Uint8Array, before: Crc32c = ofNothing): Crc32c {
  wasm.load(before);
  wasm.update(bytes);
  return wasm.save();
}

/** As Cloud Storage writes it: base64 of the four bytes, most significant first. */
export function base64OfCrc32c(crc: Crc32c): string {
  wasm.load(crc);
  return Buffer.from(wasm.digest('binary')).toString('base64');
}
