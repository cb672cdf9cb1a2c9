/** What is only known when something is there: an extension in Terraform's MessagePack. */
export const unknown: unique symbol = Symbol('unknown');
export type Value = null | boolean | number | string | typeof unknown | Value[] | { [key: string]: Value };

/** As much of MessagePack as Terraform sends. https://github.com/msgpack/msgpack/blob/master/spec.md */
export function decode(bytes: Buffer): Value {
  let at = 0;
  const take = (size: number) => {
    at += size;
    return bytes.subarray(at - size, at);
  };
  const number = (size: number) => take(size).readUIntBE(0, size);
  const text = (size: number) => take(size).toString();
  const list = (size: number): Value[] => Array.from({ length: size }, value);
  const map = (size: number): Value =>
    Object.fromEntries(Array.from({ length: size }, () => [String(value()), value()]));
  // Terraform may say something about what is not known yet; it is not known all the same.
  const extension = (size: number): Value => {
    take(1 + size);
    return unknown;
  };

  function value(): Value {
    const type = number(1);
    if (type <= 0x7f) return type;
    if (type <= 0x8f) return map(type & 0x0f);
    if (type <= 0x9f) return list(type & 0x0f);
    if (type <= 0xbf) return text(type & 0x1f);
    if (type >= 0xe0) return type - 0x100;
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return type === 0xc3;
      case 0xc7:
        return extension(number(1));
      case 0xca:
        return take(4).readFloatBE();
      case 0xcb:
        return take(8).readDoubleBE();
      case 0xcc:
      case 0xcd:
      case 0xce:
        return number(2 ** (type - 0xcc));
      case 0xcf:
        return Number(take(8).readBigUInt64BE());
      case 0xd0:
        return take(1).readInt8();
      case 0xd1:
        return take(2).readInt16BE();
      case 0xd2:
        return take(4).readInt32BE();
      case 0xd3:
        return Number(take(8).readBigInt64BE());
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return extension(2 ** (type - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return text(number(2 ** (type - 0xd9)));
      case 0xdc:
      case 0xdd:
        return list(number(2 ** (type - 0xdb)));
      case 0xde:
      case 0xdf:
        return map(number(2 ** (type - 0xdd)));
      default:
        throw new Error(`unexpected MessagePack: 0x${type.toString(16)}`);
    }
  }
  return value();
}

export function encode(value: Value): Buffer {
  if (value === null) return Buffer.from([0xc0]);
  if (value === unknown) return Buffer.from([0xd4, 0, 0]);
  if (typeof value === 'boolean') return Buffer.from([value ? 0xc3 : 0xc2]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    if (Number.isInteger(value)) {
      bytes[0] = 0xd3;
      bytes.writeBigInt64BE(BigInt(value), 1);
    } else {
      bytes[0] = 0xcb;
      bytes.writeDoubleBE(value, 1);
    }
    return bytes;
  }
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    return Buffer.concat([sized(0xdb, bytes.length), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([sized(0xdd, value.length), ...value.map(encode)]);
  const entries = Object.entries(value as { [key: string]: Value });
  return Buffer.concat([
    sized(0xdf, entries.length),
    ...entries.flatMap(([key, item]) => [encode(key), encode(item)]),
  ]);
}

function sized(type: number, size: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = type;
  bytes.writeUInt32BE(size, 1);
  return bytes;
}
