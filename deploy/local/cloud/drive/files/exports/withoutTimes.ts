/** 1 January 2000, midnight, as MS-DOS writes it. */
const time = ((2000 - 1980) << 25) | (1 << 21) | (1 << 16);

/**
 * Gives every file in a zip the same time, so that it does not tell when it was made. Offsets are those of the central
 * directory and of the local headers. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function withoutTimes(zip: Buffer): Buffer {
  const end = zip.lastIndexOf('PK\u0005\u0006');
  let entry = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    zip.writeUInt32LE(time, entry + 12);
    zip.writeUInt32LE(time, zip.readUInt32LE(entry + 42) + 10);
    entry += 46 + [28, 30, 32].reduce((sum, offset) => sum + zip.readUInt16LE(entry + offset), 0);
  }
  return zip;
}
