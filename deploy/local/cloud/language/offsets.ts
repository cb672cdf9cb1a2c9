export type EncodingType = 'NONE' | 'UTF8' | 'UTF16' | 'UTF32';

/**
 * Turns a place in a JavaScript string into the `beginOffset` that was asked for: bytes, UTF-16 units or code points
 * before it; without an encoding type every offset is −1, as at Google.
 * https://cloud.google.com/natural-language/docs/reference/rest/v1/EncodingType
 */
export function offsetsIn(text: string, encoding: EncodingType): (index: number) => number {
  if (encoding === 'NONE') return () => -1;
  if (encoding === 'UTF16') return (index) => index;
  const offsets = new Uint32Array(text.length + 1);
  let index = 0;
  let offset = 0;
  for (const character of text) {
    offsets.fill(offset, index, index + character.length);
    index += character.length;
    offset += encoding === 'UTF8' ? Buffer.byteLength(character) : 1;
  }
  offsets[index] = offset;
  return (at) => offsets[at] ?? offset;
}
