/** Eight tables, for eight bytes at a time. https://create.stephan-brumme.com/crc32/#slicing-by-8-overview */
const tables = Array.from({ length: 8 }, () => new Int32Array(256));
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  t0[byte] = value;
}
for (let byte = 0; byte < 256; byte++) {
  for (let table = 1; table < 8; table++) {
    const before = at(tables[table - 1], byte);
    (tables[table] as Int32Array)[byte] = (before >>> 8) ^ at(t0, before & 255);
  }
}

function at(table: Uint8Array | Int32Array | undefined, index: number): number {
  return (table as Int32Array)[index] as number;
}

/**
 * Continues a CRC32C over more bytes; 0 is the value of no bytes. The client library's own goes byte by byte and is a
 * fifth as fast, which an upload of gigabytes feels.
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  let i = 0;
  for (const whole = bytes.length - 7; i < whole; i += 8) {
    crc ^= at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
    crc =
      at(t7, crc & 255) ^
      at(t6, (crc >>> 8) & 255) ^
      at(t5, (crc >>> 16) & 255) ^
      at(t4, crc >>> 24) ^
      at(t3, at(bytes, i + 4)) ^
      at(t2, at(bytes, i + 5)) ^
      at(t1, at(bytes, i + 6)) ^
      at(t0, at(bytes, i + 7));
  }
  for (; i < bytes.length; i++) crc = at(t0, (crc ^ at(bytes, i)) & 255) ^ (crc >>> 8);
  return ~crc;
}

/** As Cloud Storage writes it: base64 of the four bytes, most significant first. */
export function base64OfCrc32c(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(crc);
  return bytes.toString('base64');
}
